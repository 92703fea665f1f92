/** One audit event as callers give it; the log adds `uid`, `time`, `index`, `prev`, `hash`. */
export type AuditRecord = {
  /** From the catalogue in @gatehouse/contracts: `session.start`. */
  event: string;
  /** Teleport's code: `T2000I`. Absent: the catalogue's, by `success`. */
  code?: string;
  user: string;
  success: boolean;
  /** `addr.remote` of the schema. */
  remoteAddress?: string;
  /** `server_id`: the target. */
  serverId?: string;
  /** `session_id`, repeated as `sid`. */
  sessionId?: string;
  /** What else the event's own schema asks, snake_case. Never a secret. */
  fields?: Record<string, unknown>;
};

/** The tamper-evident log. */
export type AuditLog = {
  /** Resolves when the event is committed. Rejects with `unavailable`: the caller fails closed. */
  append(record: AuditRecord): Promise<void>;
  /** Throws `unavailable` when nothing could be appended now. */
  admissible(): Promise<void>;
};

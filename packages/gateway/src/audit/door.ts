import type { LoggedEvent } from "@gatehouse/contracts";
import type { AuditFilter, Page, PageRequest } from "../directory/mod.ts";
import type { ChainFault, ChainHead } from "./chain.ts";

/** One audit event as callers give it; the log adds `uid`, `time`, `index`, `prev_hash`, `hash`. */
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
  /**
   * Resolves when the event is committed. Rejects with `unavailable`: the caller fails closed. Rejects with `internal`
   * when the catalogue does not know the event or a field.
   */
  append(record: AuditRecord): Promise<void>;
  /** Throws `unavailable` when nothing could be appended now. */
  admissible(): Promise<void>;
};

/** The log for those who read it. */
export type AuditHistory = {
  /** Newest first. */
  list(filter?: AuditFilter, page?: PageRequest): Promise<Page<LoggedEvent>>;
  /** JSON Lines in order, each with its newline. Without a filter the lines verify by themselves (`verifyExport`). */
  exportLines(filter?: AuditFilter): AsyncIterable<string>;
  /** The last event; absent in an empty log. Kept elsewhere, it shows a log that was cut off. */
  head(): Promise<ChainHead | undefined>;
  /** Reads the whole log. `known` are heads that were kept elsewhere. */
  verify(known?: readonly ChainHead[]): Promise<ChainVerdict>;
};

export type ChainVerdict = {
  ok: boolean;
  /** How many events were read. */
  events: number;
  head?: ChainHead;
  /** In order, the first hundred. */
  faults: readonly ChainFault[];
};

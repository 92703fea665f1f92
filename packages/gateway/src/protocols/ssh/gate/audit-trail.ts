import type { Session } from "../../../sessions/session.ts";

/** Events on their way to the log; with more, what causes them waits. */
const inFlightMax = 64;

/**
 * The audit events of a session that runs. The frames are what bytes wait for; events follow them without holding up each
 * keystroke or file by a transaction of their own, a bounded number at a time. One that the log does not take ends the session.
 */
export class AuditTrail {
  readonly #session: Pick<Session, "audit">;
  readonly #failed: (error: unknown) => void;
  readonly #inFlight = new Set<Promise<void>>();

  constructor(session: Pick<Session, "audit">, failed: (error: unknown) => void) {
    this.#session = session;
    this.#failed = failed;
  }
  /** Undefined, or what must be awaited because too many are under way. */
  tell(event: string, fields: Record<string, unknown>, success = true): Promise<unknown> | undefined {
    const told: Promise<void> = this.#session.audit(event, fields, success).then(
      () => void this.#inFlight.delete(told),
      (error: unknown) => {
        this.#inFlight.delete(told);
        this.#failed(error);
      },
    );
    this.#inFlight.add(told);
    return this.#inFlight.size > inFlightMax ? Promise.race(this.#inFlight) : undefined;
  }
  /** All that was told is in the log, or the failure was reported. */
  async settled(): Promise<void> {
    await Promise.all(this.#inFlight);
  }
}

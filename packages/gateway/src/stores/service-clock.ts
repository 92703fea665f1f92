import type { Clock } from "@gatehouse/kernel";

/** Answers have whole seconds and take their time: what differs less is the same. */
const agreeMs = 2_000;

/** The clock of a service, as its answers show it. Locks end by it, whatever this machine's says. */
export class ServiceClock {
  readonly #clock: Pick<Clock, "nowMs" | "monotonicUs">;
  #seen: { aheadMs: number; wallMs: number; monotonicMs: number } | undefined;

  constructor(clock: Pick<Clock, "nowMs" | "monotonicUs">) {
    this.#clock = clock;
  }

  /** The `Date` header of an answer that came just now (RFC 9110 §6.6.1). */
  note(date: Date | string | undefined): void {
    const atMs = date instanceof Date ? date.getTime() : Date.parse(date ?? "");
    if (!Number.isFinite(atMs)) return;
    const wallMs = this.#clock.nowMs();
    // The header's seconds are rounded down: half of one is the best guess.
    this.#seen = { aheadMs: atMs + 500 - wallMs, wallMs, monotonicMs: this.#clock.monotonicUs() / 1000 };
  }

  /** By how much it is ahead of this machine's. Undefined: no answer yet, or this machine's was set since, or slept. */
  get aheadMs(): number | undefined {
    if (!this.#seen) return undefined;
    const { aheadMs, wallMs, monotonicMs } = this.#seen;
    const setMs = this.#clock.nowMs() - wallMs - (this.#clock.monotonicUs() / 1000 - monotonicMs);
    if (Math.abs(setMs) > agreeMs) return undefined;
    return Math.abs(aheadMs) < agreeMs ? 0 : aheadMs;
  }

  nowMs(): number {
    return this.#clock.nowMs() + (this.aheadMs ?? 0);
  }
}

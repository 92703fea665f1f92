import { assert } from "./assert.ts";

export type Timer = { cancel(): void };

/** Time, injected everywhere, so that a day's outage is a test of a millisecond. */
export type Clock = {
  /** Wall time, milliseconds since 1970 UTC. May jump. */
  nowMs(): number;
  /** Microseconds since an arbitrary moment; never goes back. A safe integer for 285 years. */
  monotonicUs(): number;
  /** Runs `callback` once after `delayMs`. A pending timer never keeps the process alive. */
  after(delayMs: number, callback: () => void): Timer;
};

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicUs: () => Math.round(performance.now() * 1000),
  after(delayMs, callback) {
    const handle = setTimeout(callback, delayMs);
    // In a browser the handle is a number and nothing is kept alive anyway.
    if (typeof handle === "object") (handle as { unref(): void }).unref();
    return { cancel: () => clearTimeout(handle) };
  },
};

/** A clock that moves only when told. Timers due at one moment run in the order they were set. */
export class TestClock implements Clock {
  #nowMs: number;
  #elapsedUs = 0;
  #timers = new Set<{ dueUs: number; order: number; callback: () => void }>();
  #order = 0;

  constructor(startMs = Date.UTC(2026, 1, 10, 14, 30)) {
    this.#nowMs = startMs;
  }
  nowMs(): number {
    return this.#nowMs;
  }
  monotonicUs(): number {
    return this.#elapsedUs;
  }
  after(delayMs: number, callback: () => void): Timer {
    const timer = { dueUs: this.#elapsedUs + delayMs * 1000, order: this.#order++, callback };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }
  /** Moves both clocks on, running each due timer at its own moment. */
  advance(ms: number): void {
    assert(ms >= 0, "time goes forward");
    const endUs = this.#elapsedUs + ms * 1000;
    for (;;) {
      const due = [...this.#timers]
        .filter((t) => t.dueUs <= endUs)
        .sort((a, b) => a.dueUs - b.dueUs || a.order - b.order)[0];
      if (!due) break;
      this.#timers.delete(due);
      this.#moveTo(Math.max(due.dueUs, this.#elapsedUs));
      due.callback();
    }
    this.#moveTo(endUs);
  }
  /** Moves the wall clock alone, as NTP or an operator does. */
  jumpWall(ms: number): void {
    this.#nowMs += ms;
  }
  #moveTo(us: number): void {
    this.#nowMs += (us - this.#elapsedUs) / 1000;
    this.#elapsedUs = us;
  }
}

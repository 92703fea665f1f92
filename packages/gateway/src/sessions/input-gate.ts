import type { Clock } from "@gatehouse/kernel";
import type { InputState } from "./session.ts";

/** Whether input may pass, for one session, and everybody who waits until it may. */
export class InputGate {
  readonly #clock: Clock;
  readonly #waiting = new Set<(state: InputState) => void>();
  #state: InputState = "allowed";

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get state(): InputState {
    return this.#state;
  }
  pause(): void {
    if (this.#state === "allowed") this.#state = "paused";
  }
  resume(): void {
    if (this.#state === "paused") this.#settle("allowed");
  }
  /** For ever: the session ends. */
  shut(): void {
    this.#settle("ending");
  }

  when(limitMs: number): Promise<InputState> {
    if (this.#state !== "paused") return Promise.resolve(this.#state);
    return new Promise((resolve) => {
      const done = (state: InputState) => {
        timer?.cancel();
        this.#waiting.delete(done);
        resolve(state);
      };
      const timer = Number.isFinite(limitMs) ? this.#clock.after(limitMs, () => done("paused")) : undefined;
      this.#waiting.add(done);
    });
  }

  #settle(state: InputState): void {
    this.#state = state;
    for (const done of this.#waiting) done(state);
  }
}

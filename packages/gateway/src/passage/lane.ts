/**
 * One direction of a session, in order: bytes pass when the frames that hold them are durable and everything before them
 * has passed. This is where "recorded before it is seen" is kept: nothing else here writes what one side sent to the other.
 */
export class Lane {
  #waiting: { durable: boolean; bytes: number; pass: () => void }[] = [];
  #waitingBytes = 0;
  #dead = false;
  readonly #failed: (error: unknown) => void;
  readonly #passed: () => void;

  /** `failed` is called once, when a frame could not be kept; `passed` when something that waited has passed. */
  constructor(failed: (error: unknown) => void, passed: () => void) {
    this.#failed = failed;
    this.#passed = passed;
  }
  get waitingBytes(): number {
    return this.#waitingBytes;
  }
  get clear(): boolean {
    return this.#waiting.length === 0 && !this.#dead;
  }

  push(recorded: Promise<unknown> | undefined, bytes: number, pass: () => void): void {
    if (this.#dead) {
      // Whoever had to hear of the rejection has.
      recorded?.catch(() => undefined);
      return;
    }
    if (recorded === undefined && this.#waiting.length === 0) return pass();
    const entry = { durable: recorded === undefined, bytes, pass };
    this.#waiting.push(entry);
    this.#waitingBytes += bytes;
    recorded?.then(
      () => {
        entry.durable = true;
        this.#advance();
      },
      (error: unknown) => {
        if (this.#dead) return;
        this.cut();
        this.#failed(error);
      },
    );
  }
  /** Drops what waits; nothing passes from now on. */
  cut(): void {
    this.#dead = true;
    this.#waiting = [];
    this.#waitingBytes = 0;
  }
  #advance(): void {
    let passed = 0;
    for (; !this.#dead; passed++) {
      const entry = this.#waiting[passed];
      if (!entry?.durable) break;
      this.#waitingBytes -= entry.bytes;
      entry.pass();
    }
    if (passed === 0) return;
    this.#waiting.splice(0, passed);
    this.#passed();
  }
}

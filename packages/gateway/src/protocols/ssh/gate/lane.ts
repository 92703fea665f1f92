/**
 * One direction of a session, in order: each entry passes when its own frames are durable and everything before it
 * has passed. Several may be on their way to the disk at a time. This is where "recorded before it is seen" is kept, so nothing
 * else in this room writes what one side sent to the other.
 */
export class Lane {
  #waiting: { durable: boolean; pass: () => void }[] = [];
  #dead = false;
  readonly #failed: (error: unknown) => void;

  /** `failed` is called once, when a frame could not be kept: nothing that waits passes any more. */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }
  /** Nothing waits: what needs no frame of its own may pass at once. */
  get clear(): boolean {
    return this.#waiting.length === 0 && !this.#dead;
  }
  get dead(): boolean {
    return this.#dead;
  }
  /** `recorded` is the promise of the frames that hold what `pass` passes on; undefined for what needs none. */
  push(recorded: Promise<unknown> | undefined, pass: () => void): void {
    if (this.#dead) {
      // Somebody must hear of the rejection, and everybody already has.
      recorded?.catch(() => undefined);
      return;
    }
    if (recorded === undefined && this.#waiting.length === 0) return pass();
    const entry = { durable: recorded === undefined, pass };
    this.#waiting.push(entry);
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
  }
  #advance(): void {
    let passed = 0;
    while (!this.#dead && this.#waiting[passed]?.durable) this.#waiting[passed++]?.pass();
    if (passed > 0) this.#waiting.splice(0, passed);
  }
}

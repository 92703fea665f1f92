import type { Frame } from "../frame.ts";
import { type IndexDirectory, idleAfterUs, isSeen } from "../index/mod.ts";

const idleSpansMax = 10_000;
const bucketsMax = 1_000;
/** The finest stretch; it doubles whenever there would be too many. */
const bucketMinUs = 250_000;

/** How much went by when, and when nothing did. */
export class Flow {
  #bucketUs = bucketMinUs;
  #bytes: number[] = [];
  readonly #idle: number[] = [];
  #lastUs = 0;

  note({ kind, timeUs, data }: Pick<Frame, "kind" | "timeUs" | "data">): void {
    if (!isSeen(kind)) return;
    this.#close(timeUs);
    this.#lastUs = timeUs;
    // How much was typed, key by key, is not told of.
    if (kind === "input" || kind === "stdin") return;
    while (Math.floor(timeUs / this.#bucketUs) >= bucketsMax) this.#halve();
    const at = Math.floor(timeUs / this.#bucketUs);
    while (this.#bytes.length <= at) this.#bytes.push(0);
    this.#bytes[at] = (this.#bytes[at] ?? 0) + data.length + 1;
  }

  finish(endUs: number): Pick<IndexDirectory, "activity" | "idle"> {
    this.#close(endUs);
    return { activity: { bucketUs: this.#bucketUs, bytes: this.#bytes }, idle: this.#idle };
  }

  #close(toUs: number): void {
    if (toUs - this.#lastUs > idleAfterUs && this.#idle.length < 2 * idleSpansMax)
      this.#idle.push(this.#lastUs, toUs);
  }

  #halve(): void {
    this.#bucketUs *= 2;
    this.#bytes = Array.from(
      { length: Math.ceil(this.#bytes.length / 2) },
      (_, i) => (this.#bytes[2 * i] ?? 0) + (this.#bytes[2 * i + 1] ?? 0),
    );
  }
}

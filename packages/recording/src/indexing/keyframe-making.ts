import type { Terminal } from "@xterm/headless";
import {
  type IndexSealer,
  type Picture,
  encodeKeyframe,
  encodePictures,
  indexLimits,
  picturesPerBlock,
} from "../index/mod.ts";
import { BlockWriter, gathered } from "./block-writer.ts";
import { drawPicture } from "./draw-picture.ts";
import { Proof } from "./proof.ts";
import { TerminalState } from "./terminal-state.ts";

/** A keyframe after so much was shown, or after a few seconds in which at least a little was. */
const keyframeBytes = 256 * 1024;
const keyframeAfterUs = 5_000_000;
const keyframeBytesMin = 4 * 1024;
/** After a state that no sequence gives: it will not pass with the next byte. */
const retryAfterUs = 500_000;

/**
 * Keeps the state of a terminal now and then, each with a small picture. The terminal need not stand still for it: what is due is
 * decided when bytes are handed to it, the state is read in its turn, and tried on another terminal while this one goes on.
 */
export class KeyframeMaking {
  readonly #terminal: Terminal;
  readonly #sealer: IndexSealer;
  readonly #state: TerminalState;
  readonly #proof = new Proof();
  readonly entries = { timeUs: [] as number[], seq: [] as number[], bytes: [] as number[] };
  readonly blocks: Uint8Array[] = [];
  readonly pictures: BlockWriter<Picture>;
  #bytes = 0;
  #sealing: Promise<void> = Promise.resolve();

  #shownUs = 0;
  #lastUs = 0;
  #sinceLast = 0;
  #isWanted = false;
  #notBeforeUs = 0;

  constructor(terminal: Terminal, sealer: IndexSealer) {
    this.#terminal = terminal;
    this.#sealer = sealer;
    this.#state = new TerminalState(terminal);
    this.pictures = new BlockWriter({ part: "pictures", sealer, begin: gathered(encodePictures) });
  }

  /** So much was handed to the terminal. */
  shown(bytes: number, timeUs: number): void {
    this.#sinceLast += bytes;
    this.#shownUs = timeUs;
  }

  /** What was wrapped anew came of more than a screen: from here on nobody needs to know. */
  resized(): void {
    this.#isWanted = true;
  }

  /** Whether one should be taken before what comes at this moment; that is counted on from here. */
  isDue(timeUs: number): boolean {
    if (timeUs < this.#notBeforeUs || !this.#isEnough(timeUs)) return false;
    this.#lastUs = this.#shownUs;
    this.#sinceLast = 0;
    this.#isWanted = false;
    return true;
  }

  #isEnough(timeUs: number): boolean {
    if (this.#isWanted) return true;
    // Each eighth of what an index may have doubles the distance, so that there is always room for the rest.
    const scale = 2 ** Math.floor((8 * this.entries.timeUs.length) / indexLimits.keyframesMax);
    if (this.#sinceLast >= keyframeBytes * scale) return true;
    return timeUs - this.#lastUs >= keyframeAfterUs * scale && this.#sinceLast >= keyframeBytesMin;
  }

  /** When the terminal has all before the frame `seq`, last something of this moment; `next` are that frame's bytes. */
  take({ seq, timeUs, next }: { seq: number; timeUs: number; next: Uint8Array }): void {
    if (this.#bytes > indexLimits.indexBytesMax / 4) return;
    if (!this.#state.isWholeBefore(next)) {
      this.#isWanted = true;
      return;
    }
    const { cols, rows } = this.#terminal;
    const state = this.#state.sequences(rows);
    if (state === undefined) return this.#notNow(timeUs);
    const holds = this.#proof.holds(state, this.#terminal);
    const picture = drawPicture(this.#terminal, timeUs);
    this.#sealing = this.#sealing.then(async () => {
      if (!(await holds)) return this.#notNow(timeUs);
      const n = this.entries.timeUs.push(timeUs) - 1;
      this.entries.seq.push(seq);
      const block = await this.#sealer.seal("keyframes", n, encodeKeyframe({ cols, rows, state }));
      this.entries.bytes.push(block.length);
      this.blocks.push(block);
      this.#bytes += block.length;
      this.pictures.add(picture, { fromUs: timeUs, toUs: timeUs }, 1, picturesPerBlock);
    });
    // Whoever waits for it is told; until then it is nobody's.
    this.#sealing.catch(() => undefined);
  }

  #notNow(timeUs: number): void {
    this.#isWanted = true;
    this.#notBeforeUs = Math.max(this.#notBeforeUs, timeUs + retryAfterUs);
  }

  /** Resolves when all that was taken is tried and sealed. */
  async sealed(): Promise<void> {
    await this.#sealing;
  }

  async finish(): Promise<void> {
    await this.#sealing;
    await this.pictures.finish();
  }

  dispose(): void {
    this.#proof.dispose();
  }
}

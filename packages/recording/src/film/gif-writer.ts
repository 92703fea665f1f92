import { assert, utf8 } from "@gatehouse/kernel";
import { GifWriter as Encoder } from "omggif";

/** A part of a picture, in numbers of the film's colours. */
export type Part = { x: number; y: number; width: number; height: number; pixels: Uint8Array };

const delayCsMax = 65_535;
/** In place: what a picture does not draw stays. */
const keep = 1;

/**
 * Writes an animated GIF (GIF89a) picture by picture. Memory is two pictures, however long it is: how long one stays is known with the
 * next, so the last is held back until then.
 */
export class GifWriter {
  readonly #buffer: Uint8Array;
  readonly #encoder: Encoder;
  readonly #transparent: number;
  /** Where the picture that is held back begins, and what can be taken ends. */
  #heldAt: number | undefined;
  #heldCs = 0;

  constructor(fields: {
    width: number;
    height: number;
    colors: readonly number[];
    /** The number that is no colour. */
    transparent: number;
    /** ASCII, for whoever opens the file. */
    comment: string;
  }) {
    const { width, height, colors } = fields;
    // A pixel takes a code of twelve bits at most, blocks a byte in 256; and then the table of colours and what else stands before.
    this.#buffer = new Uint8Array(2 * Math.ceil(width * height * 1.6) + 8192);
    this.#transparent = fields.transparent;
    this.#encoder = new Encoder(this.#buffer, width, height, { palette: [...colors], loop: 0 });
    this.#put(comment(fields.comment));
  }

  /** A picture that is seen from this moment on, which must be after that of the one before. What was done before must be taken. */
  add(part: Part, atCs: number): void {
    this.#release(atCs);
    this.#heldAt = this.#encoder.getOutputBufferPosition();
    this.#heldCs = atCs;
    this.#draw(part);
  }

  /** The bytes that are done. */
  take(): Uint8Array {
    const end = this.#heldAt ?? this.#encoder.getOutputBufferPosition();
    const done = this.#buffer.slice(0, end);
    const position = this.#encoder.getOutputBufferPosition();
    this.#buffer.copyWithin(0, end, position);
    this.#encoder.setOutputBufferPosition(position - end);
    if (this.#heldAt !== undefined) this.#heldAt = 0;
    return done;
  }

  end(atCs: number): void {
    this.#release(atCs);
    this.#encoder.end();
  }

  /** Says how long the picture stays that is held back. */
  #release(untilCs: number): void {
    if (this.#heldAt === undefined) return;
    let leftCs = untilCs - this.#heldCs;
    assert(leftCs > 0, "a picture stays for a while");
    // GIF89a §23: the delay is in the fifth and sixth byte of the graphic control extension before the picture.
    const delay = Math.min(leftCs, delayCsMax);
    this.#buffer[this.#heldAt + 4] = delay & 255;
    this.#buffer[this.#heldAt + 5] = delay >> 8;
    this.#heldAt = undefined;
    for (leftCs -= delay; leftCs > 0; leftCs -= delayCsMax)
      this.#draw(
        { x: 0, y: 0, width: 1, height: 1, pixels: Uint8Array.of(this.#transparent) },
        Math.min(leftCs, delayCsMax),
      );
  }

  #draw({ x, y, width, height, pixels }: Part, delay = 1): void {
    this.#encoder.addFrame(x, y, width, height, pixels as unknown as number[], {
      disposal: keep,
      transparent: this.#transparent,
      delay,
    });
  }

  #put(bytes: Uint8Array): void {
    const at = this.#encoder.getOutputBufferPosition();
    this.#buffer.set(bytes, at);
    this.#encoder.setOutputBufferPosition(at + bytes.length);
  }
}

/** GIF89a §24: 0x21 0xFE, blocks of at most 255 bytes each after its length, and an empty one. */
function comment(text: string): Uint8Array {
  const bytes = utf8(text).subarray(0, 4096);
  const blocks: number[] = [0x21, 0xfe];
  for (let at = 0; at < bytes.length; at += 255) {
    const block = bytes.subarray(at, at + 255);
    blocks.push(block.length, ...block);
  }
  return Uint8Array.from([...blocks, 0]);
}

import { assert } from "@gatehouse/kernel";

/** What a cell of one column is drawn in. */
export const cellPx = { width: 8, height: 16 } as const;

/** A glyph: its rows from the top, a byte each, or two where it is wide; the leftmost pixel is the highest bit. */
export type Glyph = { isWide: boolean; rows: Uint8Array };

/**
 * The pictures of characters. The file is a table of runs, each the first code point and twice the number of glyphs, plus one where
 * they are wide, and then the glyphs.
 */
export class Glyphs {
  readonly #runs: { first: number; count: number; isWide: boolean; offset: number }[] = [];
  readonly #bytes: Uint8Array;
  readonly #found = new Map<number, Glyph | undefined>();

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const runs = view.getUint32(0);
    let offset = 4 + 8 * runs;
    for (let i = 0; i < runs; i++) {
      const count = view.getUint32(8 + 8 * i);
      const run = { first: view.getUint32(4 + 8 * i), count: count >> 1, isWide: (count & 1) === 1, offset };
      this.#runs.push(run);
      offset += run.count * bytesOf(run.isWide);
    }
    assert(offset === bytes.length, "the glyphs are whole");
  }

  /** Undefined for what none of the fonts has. */
  of(code: number): Glyph | undefined {
    if (!this.#found.has(code)) this.#found.set(code, this.#find(code));
    return this.#found.get(code);
  }

  #find(code: number): Glyph | undefined {
    let [low, high] = [0, this.#runs.length];
    while (low + 1 < high) {
      const middle = (low + high) >> 1;
      if ((this.#runs[middle]?.first ?? Infinity) <= code) low = middle;
      else high = middle;
    }
    const run = this.#runs[low];
    if (!run || code < run.first || code >= run.first + run.count) return undefined;
    const at = run.offset + (code - run.first) * bytesOf(run.isWide);
    return { isWide: run.isWide, rows: this.#bytes.subarray(at, at + bytesOf(run.isWide)) };
  }
}

function bytesOf(isWide: boolean): number {
  return isWide ? 2 * cellPx.height : cellPx.height;
}

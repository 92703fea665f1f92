import { NearestColors } from "./film-colors.ts";
import { type Glyphs, cellPx } from "./glyphs.ts";

/** A grey that can be read on dark and on light, mixed with what stands under it. */
const grey = 0x808a96;
/** Of a name that is less wide than the screen, letters are twice as large as those of the screen. */
const largeScale = 2;
const betweenPx = 48;
const rowsApartPx = 6 * cellPx.height;

/** Words over every picture, again and again, each line of them half their width beside the one above. */
export class Watermark {
  readonly color = new NearestColors().of(grey);
  readonly share = 0.45;
  readonly #scale: number;
  /** Of the words drawn once: a byte a pixel, before they are made larger. */
  readonly #pixels: Uint8Array;
  readonly #width: number;

  constructor(words: string, glyphs: Glyphs, screenPx: { width: number }) {
    const found = Array.from(words, (one) => glyphs.of(one.codePointAt(0) ?? 32) ?? glyphs.of(63));
    this.#width = found.reduce((sum, glyph) => sum + (glyph?.isWide ? 2 : 1) * cellPx.width, 0);
    this.#scale = this.#width * largeScale <= screenPx.width ? largeScale : 1;
    this.#pixels = new Uint8Array(this.#width * cellPx.height);
    let left = 0;
    for (const glyph of found) {
      if (!glyph) continue;
      const bytes = glyph.isWide ? 2 : 1;
      for (let y = 0; y < cellPx.height; y++)
        for (let x = 0; x < bytes * cellPx.width; x++) {
          const byte = glyph.rows[y * bytes + (x >> 3)] ?? 0;
          this.#pixels[y * this.#width + left + x] = (byte >> (7 - (x & 7))) & 1;
        }
      left += bytes * cellPx.width;
    }
  }

  isAt(x: number, y: number): boolean {
    const line = Math.floor(y / rowsApartPx);
    const row = Math.floor((y - line * rowsApartPx) / this.#scale);
    if (row >= cellPx.height) return false;
    const period = this.#width * this.#scale + betweenPx;
    const column = Math.floor(((x + (line % 2) * (period >> 1)) % period) / this.#scale);
    return column < this.#width && this.#pixels[row * this.#width + column] === 1;
  }
}

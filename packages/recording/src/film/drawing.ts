import { type NearestColors, ground, unchanged } from "./film-colors.ts";
import type { Part } from "./gif-writer.ts";
import { type Glyph, type Glyphs, cellPx } from "./glyphs.ts";
import { type ScreenCells, marks } from "./screen-cells.ts";
import type { Watermark } from "./watermark.ts";

/** Around the screen, half as wide as a row is high. */
const marginPx = 8;

export function filmPx({ cols, rows }: { cols: number; rows: number }): { width: number; height: number } {
  return { width: cols * cellPx.width + 2 * marginPx, height: rows * cellPx.height + 2 * marginPx };
}

/** Draws screens, each as what is different from the one before. */
export class Drawing {
  readonly #glyphs: Glyphs;
  readonly #watermark: Watermark | undefined;
  readonly #colors: NearestColors;
  readonly #before: { codes: Uint32Array; styles: Uint32Array };
  readonly #changed: Uint8Array;
  readonly #pixels: Uint8Array;
  readonly #cols: number;
  readonly #rows: number;
  #isFirst = true;

  constructor(fields: {
    cols: number;
    rows: number;
    glyphs: Glyphs;
    colors: NearestColors;
    watermark: Watermark | undefined;
  }) {
    this.#cols = fields.cols;
    this.#rows = fields.rows;
    this.#glyphs = fields.glyphs;
    this.#colors = fields.colors;
    this.#watermark = fields.watermark;
    const cells = this.#cols * this.#rows;
    this.#before = { codes: new Uint32Array(cells), styles: new Uint32Array(cells) };
    this.#changed = new Uint8Array(cells);
    const { width, height } = filmPx(fields);
    this.#pixels = new Uint8Array(width * height);
  }

  /** The smallest part that has all that is different; undefined where nothing is. Holds until the next call. */
  draw(cells: ScreenCells): Part | undefined {
    const isFirst = this.#isFirst;
    const box: Box | undefined = this.#compare(cells);
    if (!box) return undefined;
    this.#isFirst = false;
    this.#before.codes.set(cells.codes);
    this.#before.styles.set(cells.styles);
    const margin = isFirst ? marginPx : 0;
    const width = (box.toX - box.fromX) * cellPx.width + 2 * margin;
    const height = (box.toY - box.fromY) * cellPx.height + 2 * margin;
    const pixels = this.#pixels.subarray(0, width * height);
    pixels.fill(isFirst ? ground : unchanged);
    for (let y = box.fromY; y < box.toY; y++)
      for (let x: number = box.fromX; x < box.toX; x++) {
        const at = y * this.#cols + x;
        if (this.#changed[at] === 0) continue;
        const style = cells.styles[at] ?? 0;
        if (style & marks.isCovered) continue;
        const left = margin + (x - box.fromX) * cellPx.width;
        const top = margin + (y - box.fromY) * cellPx.height;
        this.#cell(pixels, top * width + left, width, cells.characters(at), style);
        this.#mark(pixels, top * width + left, width, style, x, y);
      }
    const offset = isFirst ? 0 : marginPx;
    return {
      x: box.fromX * cellPx.width + offset,
      y: box.fromY * cellPx.height + offset,
      width,
      height,
      pixels,
    };
  }

  #compare({ codes, styles }: ScreenCells): Box | undefined {
    const [cols, rows, changed] = [this.#cols, this.#rows, this.#changed];
    const whole = { fromX: 0, fromY: 0, toX: cols, toY: rows };
    if (this.#isFirst) {
      changed.fill(1);
      return whole;
    }
    changed.fill(0);
    const { codes: codesBefore, styles: stylesBefore } = this.#before;
    let [fromX, fromY, toX, toY] = [cols, rows, 0, 0];
    for (let y = 0; y < rows; y++)
      for (let x = 0; x < cols; x++) {
        const at = y * cols + x;
        if (codes[at] === codesBefore[at] && styles[at] === stylesBefore[at]) continue;
        const style = styles[at] ?? 0;
        // Both halves of what is wide are drawn together.
        const [first, last] = [style & marks.isCovered ? x - 1 : x, style & marks.isWide ? x + 1 : x];
        changed.fill(1, y * cols + first, y * cols + last + 1);
        [fromX, toX] = [Math.min(fromX, first), Math.max(toX, last + 1)];
        [fromY, toY] = [Math.min(fromY, y), y + 1];
      }
    return toY === 0 ? undefined : { fromX, fromY, toX, toY };
  }

  #cell(
    pixels: Uint8Array,
    start: number,
    stride: number,
    characters: readonly number[],
    style: number,
  ): void {
    const [front, back] = [style & 255, (style >> 8) & 255];
    const cellsWide = style & marks.isWide ? 2 : 1;
    const width = cellsWide * cellPx.width;
    for (let row = 0; row < cellPx.height; row++) {
      const at = start + row * stride;
      let bits = 0;
      if (front !== back)
        for (const code of characters) bits |= rowOf(this.#glyphs.of(code), code, row, cellsWide);
      if (style & marks.italic) bits = row < 6 ? bits >> 1 : row > 11 ? bits << 1 : bits;
      // Twice as thick, but where that would close a gap of one pixel.
      if (style & marks.bold) bits |= (bits >> 1) & ~(bits << 1);
      if (
        (style & marks.underline && row === 14) ||
        (style & marks.strikethrough && row === 8) ||
        (style & marks.overline && row === 0)
      )
        bits = -1;
      for (let x = 0; x < width; x++) pixels[at + x] = (bits >> (width - 1 - x)) & 1 ? front : back;
    }
  }

  #mark(
    pixels: Uint8Array,
    start: number,
    stride: number,
    style: number,
    cellX: number,
    cellY: number,
  ): void {
    const watermark = this.#watermark;
    if (!watermark) return;
    const width = style & marks.isWide ? 2 * cellPx.width : cellPx.width;
    for (let row = 0; row < cellPx.height; row++)
      for (let x = 0; x < width; x++) {
        if (!watermark.isAt(cellX * cellPx.width + x, cellY * cellPx.height + row)) continue;
        const at = start + row * stride + x;
        pixels[at] = this.#colors.mixed(watermark.color, pixels[at] ?? 0, watermark.share);
      }
  }
}

type Box = { fromX: number; fromY: number; toX: number; toY: number };

/** A row of a glyph, its leftmost pixel being the highest of as many bits as the cells are wide. */
function rowOf(glyph: Glyph | undefined, code: number, row: number, cellsWide: number): number {
  if (!glyph) return code <= 32 || isUnseen(code) ? 0 : lackingRow(row, cellsWide);
  if (!glyph.isWide) {
    const bits = glyph.rows[row] ?? 0;
    return cellsWide === 2 ? bits << 4 : bits;
  }
  const bits = ((glyph.rows[2 * row] ?? 0) << 8) | (glyph.rows[2 * row + 1] ?? 0);
  return cellsWide === 2 ? bits : squeezed(bits);
}

/** What no font has is a frame with nothing in it. */
function lackingRow(row: number, cellsWide: number): number {
  if (row < 2 || row > 13) return 0;
  const last = cellsWide * cellPx.width - 2;
  return row === 2 || row === 13 ? (1 << (last + 1)) - 2 : (1 << last) | 2;
}

/** Sixteen pixels in the place of eight: each is there where one of its two was. */
function squeezed(bits: number): number {
  let narrow = 0;
  for (let x = 0; x < cellPx.width; x++) if ((bits >> (2 * x)) & 3) narrow |= 1 << x;
  return narrow;
}

/** Joiners, variation selectors and what else is no picture of its own. */
function isUnseen(code: number): boolean {
  return (
    (code >= 0x200b && code <= 0x200f) ||
    (code >= 0x2028 && code <= 0x202e) ||
    (code >= 0x2060 && code <= 0x206f) ||
    (code >= 0xfe00 && code <= 0xfe0f) ||
    code === 0xfeff ||
    (code >= 0xe0000 && code <= 0xe0fff)
  );
}

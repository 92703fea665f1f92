import type { IBufferCell, Terminal } from "@xterm/headless";
import { type NearestColors, filmColor, ground, ink, outside } from "./film-colors.ts";
import type { Glyphs } from "./glyphs.ts";

/** How a cell is drawn, beside its character: the numbers of two colours, and marks. */
export const marks = {
  bold: 1 << 16,
  italic: 1 << 17,
  underline: 1 << 18,
  strikethrough: 1 << 19,
  overline: 1 << 20,
  /** Its character goes over the next cell too. */
  isWide: 1 << 21,
  /** It is the second half of the one before. */
  isCovered: 1 << 22,
} as const;
const blank = 32;
/** Characters that are several code points are counted from here, beyond Unicode. */
const togetherFrom = 0x200000;
const togetherMax = 4096;

/** What the terminal keeps to itself in the one version that is pinned; docs/decisions/0040. */
type Inner = { _core: { coreService: { isCursorHidden: boolean } } };

/** The cells of a screen as they are seen, to be compared with those of another moment. */
export class ScreenCells {
  readonly cols: number;
  readonly rows: number;
  readonly codes: Uint32Array;
  readonly styles: Uint32Array;
  #together: string[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #colors: NearestColors;
  readonly #glyphs: Pick<Glyphs, "of">;

  constructor(fields: { cols: number; rows: number; colors: NearestColors; glyphs: Pick<Glyphs, "of"> }) {
    this.cols = fields.cols;
    this.rows = fields.rows;
    this.#colors = fields.colors;
    this.#glyphs = fields.glyphs;
    this.codes = new Uint32Array(this.cols * this.rows);
    this.styles = new Uint32Array(this.cols * this.rows);
  }

  /** The code points of a cell. */
  characters(at: number): readonly number[] {
    const code = this.codes[at] ?? blank;
    if (code < togetherFrom) return [code];
    return Array.from(this.#together[code - togetherFrom] ?? "", (one) => one.codePointAt(0) ?? blank);
  }

  /** Takes the screen as it stands. What is beyond a smaller terminal is dark. */
  take(terminal: Terminal): void {
    const { codes, styles, cols } = this;
    // As many as are on one screen at least; then all numbers are given anew.
    if (this.#together.length > togetherMax) {
      this.#together = [];
      this.#numbers.clear();
    }
    codes.fill(blank);
    styles.fill(outside | (outside << 8));
    const buffer = terminal.buffer.active;
    let cell: IBufferCell | undefined;
    for (let y = 0; y < terminal.rows && y < this.rows; y++) {
      const line = buffer.getLine(buffer.baseY + y);
      for (let x = 0; x < terminal.cols && x < cols; x++) {
        cell = line?.getCell(x, cell);
        const at = y * cols + x;
        if (!cell) {
          styles[at] = ink | (ground << 8);
          continue;
        }
        if (cell.getWidth() === 0 && x > 0) {
          styles[at] = (styles[at - 1] ?? 0) ^ marks.isWide ^ marks.isCovered;
          continue;
        }
        codes[at] = this.#code(cell);
        styles[at] = this.#style(cell) | (cell.getWidth() === 2 ? marks.isWide : 0);
      }
    }
    this.#takeCursor(terminal);
    this.#spread();
  }

  #code(cell: IBufferCell): number {
    const code = cell.getCode();
    if (code < 0x80) return code === 0 ? blank : code;
    const characters = cell.getChars();
    if (characters.length <= (code > 0xffff ? 2 : 1)) return code;
    let number = this.#numbers.get(characters);
    if (number === undefined) {
      number = togetherFrom + this.#together.push(characters) - 1;
      this.#numbers.set(characters, number);
    }
    return number;
  }

  #style(cell: IBufferCell): number {
    let front: number = ink;
    let back: number = ground;
    if (cell.isFgRGB()) front = this.#colors.of(cell.getFgColor());
    else if (cell.isFgPalette()) {
      const color = cell.getFgColor();
      // As the pages have it: bold text in one of the eight colours is bright.
      front = filmColor(color < 8 && cell.isBold() ? color + 8 : color);
    }
    if (cell.isBgRGB()) back = this.#colors.of(cell.getBgColor());
    else if (cell.isBgPalette()) back = filmColor(cell.getBgColor());
    if (cell.isInverse()) [front, back] = [back, front];
    if (cell.isDim()) front = this.#colors.mixed(front, back, 0.5);
    if (cell.isInvisible()) front = back;
    return (
      front |
      (back << 8) |
      (cell.isBold() ? marks.bold : 0) |
      (cell.isItalic() ? marks.italic : 0) |
      (cell.isUnderline() ? marks.underline : 0) |
      (cell.isStrikethrough() ? marks.strikethrough : 0) |
      (cell.isOverline() ? marks.overline : 0)
    );
  }

  #takeCursor(terminal: Terminal): void {
    if ((terminal as unknown as Inner)._core.coreService.isCursorHidden) return;
    const { cursorX, cursorY } = terminal.buffer.active;
    // Behind the last column it waits for what wraps.
    const x = Math.min(cursorX, terminal.cols - 1);
    if (x >= this.cols || cursorY >= this.rows) return;
    const at = cursorY * this.cols + x;
    const under = (cell: number) => {
      this.styles[cell] = ((this.styles[cell] ?? 0) & ~0xffff) | ground | (ink << 8);
    };
    under(at);
    if ((this.styles[at] ?? 0) & marks.isWide) under(at + 1);
    if ((this.styles[at] ?? 0) & marks.isCovered) under(at - 1);
  }

  /** A wide picture of what has one column, as most symbols are, goes over a blank beside it: a page draws it so too. */
  #spread(): void {
    const { codes, styles, cols } = this;
    const narrow = marks.isWide | marks.isCovered;
    for (let at = 0; at + 1 < codes.length; at++) {
      const code = codes[at] ?? blank;
      if (code < 0x80 || code >= togetherFrom || (at + 1) % cols === 0) continue;
      const [style, next] = [styles[at] ?? 0, styles[at + 1] ?? 0];
      if (style & narrow || next & narrow || codes[at + 1] !== blank) continue;
      if ((style & 0xff00) !== (next & 0xff00) || !this.#glyphs.of(code)?.isWide) continue;
      styles[at] = style | marks.isWide;
      styles[at + 1] = style | marks.isCovered;
    }
  }
}

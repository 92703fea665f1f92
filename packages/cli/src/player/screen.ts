import type { IBufferCell, IBufferLine } from "@xterm/headless";
import { shownBy, unseenTerminal } from "@gatehouse/recording/transcript";
import type { PlayFrame } from "./play-source.ts";

/** The screen of the recording at one moment. */
export type Screen = {
  readonly cols: number;
  readonly rows: number;
  readonly cursor: { readonly col: number; readonly row: number; readonly visible: boolean };
  /** Takes a frame in, and says whether it shows anything; that is there after `settled`. */
  apply(frame: PlayFrame): boolean;
  /** Takes in what brings an empty screen of this size to a state. */
  restore(state: string): void;
  /** Resolves when all that was applied is on the screen. */
  settled(): Promise<void>;
  /** Bytes applied and not yet on the screen. */
  readonly pendingBytes: number;
  /** A row as text and SGR sequences, at most `colsMax` columns wide, ending in the plain style. */
  row(index: number, colsMax: number): string;
  /** A row's text alone, without the blanks at its end. */
  text(index: number): string;
  dispose(): void;
};

/** A terminal of our own that answers nothing: what programs asked of a terminal stays in the recording. */
export function createScreen(size: { cols: number; rows: number }): Screen {
  // A window that grows shows again what had scrolled off.
  const terminal = unseenTerminal(size, 1000);
  let cursorVisible = true;
  let pendingBytes = 0;
  let settling: Promise<void> = Promise.resolve();
  const whenCursor = (visible: boolean) => (params: (number | number[])[]) => {
    if (params.includes(25)) cursorVisible = visible;
    return false;
  };
  // DECTCEM. The library keeps it to itself, so it is read on its way in; `false` lets the library do its part.
  terminal.parser.registerCsiHandler({ prefix: "?", final: "h" }, whenCursor(true));
  terminal.parser.registerCsiHandler({ prefix: "?", final: "l" }, whenCursor(false));
  const shownAgain = () => {
    cursorVisible = true;
    return false;
  };
  terminal.parser.registerCsiHandler({ intermediates: "!", final: "p" }, shownAgain);
  terminal.parser.registerEscHandler({ final: "c" }, shownAgain);

  const line = (index: number): IBufferLine | undefined => {
    const buffer = terminal.buffer.active;
    return buffer.getLine(buffer.baseY + index);
  };
  let scratch: IBufferCell | undefined;

  return {
    get cols() {
      return terminal.cols;
    },
    get rows() {
      return terminal.rows;
    },
    get cursor() {
      const { cursorX, cursorY } = terminal.buffer.active;
      return { col: Math.min(cursorX, terminal.cols - 1), row: cursorY, visible: cursorVisible };
    },
    get pendingBytes() {
      return pendingBytes;
    },
    apply(frame) {
      const shown = shownBy(frame);
      if (shown.what === "nothing") return false;
      if (shown.what === "size") {
        // The size changes after what was printed before it, so it waits in the terminal's own queue.
        settling = new Promise((resolve) =>
          terminal.write("", () => {
            terminal.resize(shown.cols, shown.rows);
            resolve();
          }),
        );
        return false;
      }
      const { length } = shown.bytes;
      pendingBytes += length;
      settling = new Promise((resolve) =>
        terminal.write(shown.bytes, () => {
          pendingBytes -= length;
          resolve();
        }),
      );
      return true;
    },
    restore(state) {
      settling = new Promise((resolve) => terminal.write(state, resolve));
    },
    settled: () => settling,
    row(index, colsMax) {
      const found = line(index);
      if (!found) return "";
      scratch ??= terminal.buffer.active.getNullCell();
      return styledRow(found, Math.min(colsMax, terminal.cols), scratch);
    },
    text: (index) => line(index)?.translateToString(true) ?? "",
    dispose: () => terminal.dispose(),
  };
}

/** The rows of the screen, styled, without those at its end that are empty. */
export function lastRows(screen: Screen): string[] {
  const rows: string[] = [];
  for (let row = 0; row < screen.rows; row++) rows.push(screen.row(row, screen.cols));
  while (rows.at(-1) === "") rows.pop();
  return rows;
}

const plain = "\u001b[0m";

function styledRow(line: IBufferLine, cols: number, scratch: IBufferCell): string {
  let out = "";
  let style = "0";
  /** How much of `out` is kept when only plain blanks follow. */
  let keep = 0;
  for (let col = 0; col < cols; col++) {
    const cell = line.getCell(col, scratch);
    if (!cell) break;
    // The second half of a wide character is drawn with its first.
    if (cell.getWidth() === 0) continue;
    if (col + cell.getWidth() > cols) break;
    const wanted = styleOf(cell);
    if (wanted !== style) {
      out += `\u001b[${wanted === "0" ? "0" : `0;${wanted}`}m`;
      style = wanted;
    }
    const chars = cell.isInvisible() ? " " : cell.getChars() || " ";
    out += chars;
    if (chars !== " " || wanted !== "0") keep = out.length;
  }
  const kept = out.slice(0, keep);
  return kept === "" ? "" : `${kept}${plain}`;
}

/** SGR parameters (ECMA-48 §8.3.117) of a cell, `0` for a plain one. */
function styleOf(cell: IBufferCell): string {
  if (cell.isAttributeDefault()) return "0";
  const parts: (number | string)[] = [];
  if (cell.isBold()) parts.push(1);
  if (cell.isDim()) parts.push(2);
  if (cell.isItalic()) parts.push(3);
  if (cell.isUnderline()) parts.push(4);
  if (cell.isBlink()) parts.push(5);
  if (cell.isInverse()) parts.push(7);
  if (cell.isStrikethrough()) parts.push(9);
  if (cell.isOverline()) parts.push(53);
  if (cell.isFgRGB()) parts.push(rgb(38, cell.getFgColor()));
  else if (cell.isFgPalette()) parts.push(palette(30, cell.getFgColor()));
  if (cell.isBgRGB()) parts.push(rgb(48, cell.getBgColor()));
  else if (cell.isBgPalette()) parts.push(palette(40, cell.getBgColor()));
  return parts.length === 0 ? "0" : parts.join(";");
}

function rgb(of: 38 | 48, color: number): string {
  return `${of};2;${(color >> 16) & 255};${(color >> 8) & 255};${color & 255}`;
}

function palette(of: 30 | 40, color: number): string {
  if (color < 8) return String(of + color);
  // The bright eight have codes of their own, which follow the person's theme as the recorded ones did.
  if (color < 16) return String(of + 60 + color - 8);
  return `${of + 8};5;${color}`;
}

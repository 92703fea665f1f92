import type { IBuffer, IMarker, Terminal } from "@xterm/headless";
import { type LineBatch, eachLine } from "./lines-in.ts";

/** One write to the terminal. */
export const sliceBytes = 64 * 1024;
/** A line of so many rows is handed out before its end is there. */
const wrappedRowsMax = 1_000;
/** Lines are taken when so many have scrolled off, in the middle of a write too. */
const takenTogether = 128;
/**
 * More than can wait to be taken, so nothing is lost. And no more than that: rows that were long out of the processor's memory when they
 * are used again cost as much as writing to them.
 */
export const scrollbackLines = wrappedRowsMax + 4 * takenTogether;
/** A mark that is nearer to the top than this is set anew: it would be lost with its row. */
const markedRowMin = 2 * takenTogether;

/** Why a line is handed out: it left the screen at the top, or what stood there was cleared or left. */
export type Gone = "scrolled" | "cleared";

/**
 * Hands out the lines of a terminal as they go: each once it scrolls off, the screen before it is cleared, the last screen of a
 * full-screen program when it ends. The terminal has `scrollbackLines` of scrollback. Its buffer is left to fill: from then on the library uses each row again instead of making one, which is half of what a line costs it.
 */
export class ShownLines {
  readonly #terminal: Terminal;
  readonly #tell: (lines: LineBatch, gone: Gone, wasThere: boolean) => void;
  #scrolled = 0;
  /** Rows at the top of the ordinary buffer that were taken already, when that was last looked at. */
  #takenRows = 0;
  /**
   * On one of them, which was in row `#markedRow`: rows are dropped above it once the buffer is full. It has left the screen, so
   * nothing is inserted there. Setting it costs as much as a line, so it stays where it is for a while.
   */
  #mark: IMarker | undefined;
  #markedRow = 0;
  /** Rows of it that were finished when the last slice had been written. */
  #finishedRows = 0;

  readonly #rowsKept: number;

  /**
   * `tell` learns too whether the lines stood on the screen before this slice. `rowsKept` of what scrolled off stay in the terminal,
   * which a window that grows shows again.
   */
  constructor(
    terminal: Terminal,
    tell: (lines: LineBatch, gone: Gone, wasThere: boolean) => void,
    rowsKept = 0,
  ) {
    this.#rowsKept = rowsKept;
    this.#terminal = terminal;
    this.#tell = tell;
    const { parser } = terminal;
    terminal.onScroll(() => {
      if (++this.#scrolled >= takenTogether) this.#takeScrolled();
    });
    // xterm's ctlseqs: ED clears, DECSET 47, 1047 and 1049 leave a full-screen program, RIS clears everything.
    parser.registerCsiHandler({ final: "J" }, (params) => {
      const { cursorX, cursorY } = terminal.buffer.active;
      const what = typeof params[0] === "number" ? params[0] : 0;
      if (what === 2 || (what === 0 && cursorX === 0 && cursorY === 0)) this.#takeScreen();
      if (what === 3) {
        this.#takeScrolled();
        if (terminal.buffer.active.type === "normal") this.#forgetTaken(0);
      }
      return false;
    });
    parser.registerCsiHandler({ prefix: "?", final: "l" }, (params) => {
      if (params.some((mode) => mode === 47 || mode === 1047 || mode === 1049)) this.#takeFullScreen();
      return false;
    });
    parser.registerEscHandler({ final: "c" }, () => {
      this.#takeFullScreen();
      this.#takeScreen();
      this.#forgetTaken(0);
      return false;
    });
  }

  /** Call when a slice has been written. */
  written(): void {
    this.#takeScrolled();
    const { normal } = this.#terminal.buffer;
    this.#finishedRows = normal.baseY + normal.cursorY;
  }

  /** Call when all writes are done, before a new size: lines are wrapped anew, so what was taken must be gone before. */
  resizing(): void {
    this.#takeScrolled();
    this.#dropTaken();
  }

  /** Call after a new size where rows are kept: what is above the screen now was taken, or was on the screen before. */
  resized(): void {
    this.#takenRows = this.#terminal.buffer.normal.baseY;
  }

  finish(): void {
    this.#takeFullScreen();
    this.#takeScreen();
  }

  #takeScrolled(): void {
    this.#scrolled = 0;
    const buffer = this.#terminal.buffer.normal;
    this.#follow();
    let end = buffer.baseY;
    // A line that goes on below is taken whole, later.
    while (end > this.#takenRows && buffer.getLine(end)?.isWrapped) end--;
    if (buffer.baseY - end > wrappedRowsMax) end = buffer.baseY;
    const isMarked = this.#mark !== undefined && this.#markedRow >= markedRowMin;
    if (end <= this.#takenRows && isMarked) return;
    const middle = Math.min(end, Math.max(this.#takenRows, this.#finishedRows));
    this.#take(buffer, this.#takenRows, middle, "scrolled", true);
    this.#take(buffer, middle, end, "scrolled", false);
    this.#takenRows = Math.max(this.#takenRows, end);
    // Only the ordinary screen can be marked, and while the other is shown it does not scroll.
    if (this.#terminal.buffer.active.type !== "normal") return;
    if (isMarked || this.#takenRows === 0) return;
    this.#mark?.dispose();
    this.#markedRow = this.#takenRows - 1;
    this.#mark = this.#terminal.registerMarker(this.#markedRow - buffer.baseY - buffer.cursorY);
  }

  /** How far the rows have moved up since. */
  #follow(): void {
    if (!this.#mark) return;
    const moved = this.#markedRow - this.#mark.line;
    this.#markedRow -= moved;
    this.#takenRows -= moved;
    this.#finishedRows -= moved;
  }

  #forgetTaken(takenRows: number): void {
    this.#mark?.dispose();
    this.#mark = undefined;
    this.#takenRows = takenRows;
  }

  /** The ordinary screen, where it is the one that is seen. */
  #takeScreen(): void {
    if (this.#terminal.buffer.active.type !== "normal") return;
    this.#takeScrolled();
    const buffer = this.#terminal.buffer.normal;
    this.#take(
      buffer,
      Math.max(this.#takenRows, 0),
      lastFilled(buffer, this.#terminal.rows),
      "cleared",
      true,
    );
  }

  #takeFullScreen(): void {
    const buffer = this.#terminal.buffer.active;
    if (buffer.type !== "alternate") return;
    this.#take(buffer, buffer.baseY, lastFilled(buffer, this.#terminal.rows), "cleared", false);
  }

  #take(buffer: IBuffer, from: number, end: number, gone: Gone, wasThere: boolean): void {
    if (from < end) eachLine(buffer, from, end, (lines) => this.#tell(lines, gone, wasThere));
  }

  #dropTaken(): void {
    const { normal } = this.#terminal.buffer;
    const kept = Math.min(this.#takenRows, this.#rowsKept);
    const left = normal.baseY - this.#takenRows + kept;
    this.#forgetTaken(kept);
    // A smaller scrollback drops the oldest rows, with no sequence sent into what may be the middle of another.
    this.#terminal.options.scrollback = left;
    this.#terminal.options.scrollback = scrollbackLines;
  }
}

/** One past the last row of the screen that has something on it. */
function lastFilled(buffer: IBuffer, rows: number): number {
  let end = Math.min(buffer.baseY + rows, buffer.length);
  while (end > buffer.baseY && buffer.getLine(end - 1)?.translateToString(true) === "") end--;
  return end;
}

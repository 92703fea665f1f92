import type { IBuffer, Terminal } from "@xterm/headless";

/** More than a slice can scroll off, so nothing is lost between two looks. */
export const scrollbackLines = 6000;
/** One write to the terminal. It can scroll off at most as many lines as it has bytes. */
export const sliceBytes = 4096;
/** Lines that were handed out are dropped from the terminal when there are so many of them. */
const keptLinesMax = 512;

/** Why a line is handed out: it left the screen at the top, or what stood there was cleared or left. */
export type Gone = "scrolled" | "cleared";

/**
 * Hands out the lines of a terminal as they go: each once it scrolls off, the screen before it is cleared, the last screen of a
 * full-screen program when it ends. The terminal has `scrollbackLines` of scrollback and is written to in slices.
 */
export class ShownLines {
  readonly #terminal: Terminal;
  readonly #tell: (line: string, gone: Gone, wasThere: boolean) => void;
  /** Rows at the top of the ordinary buffer that were taken already. */
  #takenRows = 0;
  /** Rows of it that were finished when the last slice had been written. */
  #finishedRows = 0;

  readonly #rowsKept: number;

  /**
   * `tell` learns too whether the line stood on the screen before this slice. `rowsKept` of what scrolled off stay in the terminal,
   * which a window that grows shows again.
   */
  constructor(terminal: Terminal, tell: (line: string, gone: Gone, wasThere: boolean) => void, rowsKept = 0) {
    this.#rowsKept = rowsKept;
    this.#terminal = terminal;
    this.#tell = tell;
    const { parser } = terminal;
    // xterm's ctlseqs: ED clears, DECSET 47, 1047 and 1049 leave a full-screen program, RIS clears everything.
    parser.registerCsiHandler({ final: "J" }, (params) => {
      const { cursorX, cursorY } = terminal.buffer.active;
      const what = typeof params[0] === "number" ? params[0] : 0;
      if (what === 2 || (what === 0 && cursorX === 0 && cursorY === 0)) this.#takeScreen();
      if (what === 3) {
        this.#takeScrolled();
        this.#takenRows = 0;
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
      this.#takenRows = 0;
      return false;
    });
  }

  /** Call when a slice has been written. */
  written(): void {
    this.#takeScrolled();
    if (this.#takenRows > this.#rowsKept + keptLinesMax) this.#dropTaken();
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
    const buffer = this.#terminal.buffer.normal;
    let end = buffer.baseY;
    // A line that goes on below is taken whole, later.
    while (end > this.#takenRows && buffer.getLine(end)?.isWrapped) end--;
    const middle = Math.min(end, Math.max(this.#takenRows, this.#finishedRows));
    this.#take(buffer, this.#takenRows, middle, "scrolled", true);
    this.#take(buffer, middle, end, "scrolled", false);
    this.#takenRows = Math.max(this.#takenRows, end);
  }

  /** The ordinary screen, where it is the one that is seen. */
  #takeScreen(): void {
    if (this.#terminal.buffer.active.type !== "normal") return;
    this.#takeScrolled();
    const buffer = this.#terminal.buffer.normal;
    this.#take(buffer, Math.max(this.#takenRows, 0), lastFilled(buffer, this.#terminal.rows), "cleared");
  }

  #takeFullScreen(): void {
    const buffer = this.#terminal.buffer.active;
    if (buffer.type !== "alternate") return;
    this.#take(buffer, buffer.baseY, lastFilled(buffer, this.#terminal.rows), "cleared");
  }

  #take(buffer: IBuffer, from: number, end: number, gone: Gone, wasThere = false): void {
    for (const line of linesIn(buffer, from, end)) this.#tell(line, gone, wasThere);
  }

  #dropTaken(): void {
    const { normal } = this.#terminal.buffer;
    const kept = Math.min(this.#takenRows, this.#rowsKept);
    const left = normal.baseY - this.#takenRows + kept;
    // A smaller scrollback drops the oldest rows, with no sequence sent into what may be the middle of another.
    this.#terminal.options.scrollback = left;
    this.#terminal.options.scrollback = scrollbackLines;
    this.#takenRows = kept;
  }
}

/** The lines of these rows: a wrapped row continues the one above it. */
export function* linesIn(buffer: IBuffer, from: number, end: number): Generator<string> {
  let line: string | undefined;
  for (let row = from; row < end; row++) {
    const found = buffer.getLine(row);
    if (!found) break;
    // Where a row goes on below, its blanks at the end are part of the line.
    const goesOn = row + 1 < end && buffer.getLine(row + 1)?.isWrapped === true;
    line = (line ?? "") + found.translateToString(!goesOn);
    if (goesOn) continue;
    yield line;
    line = undefined;
  }
}

/** One past the last row of the screen that has something on it. */
function lastFilled(buffer: IBuffer, rows: number): number {
  let end = Math.min(buffer.baseY + rows, buffer.length);
  while (end > buffer.baseY && buffer.getLine(end - 1)?.translateToString(true) === "") end--;
  return end;
}

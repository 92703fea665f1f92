import headless from "@xterm/headless";
import type { IBuffer, Terminal } from "@xterm/headless";
import { type ShownFrame, boundedSize, shownBy } from "./shown.ts";

/** One write to the terminal. It can scroll off at most as many lines as it has bytes. */
const sliceBytes = 4096;
/** More than a slice can scroll off, so nothing is lost between two looks. */
const scrollbackLines = 6000;
/** Lines that were handed out are dropped from the terminal when there are so many of them. */
const keptLinesMax = 512;
/** Writes that are under way together; the terminal takes several in one turn of the event loop. */
const waitingSlicesMax = 64;

/**
 * The lines that the session showed, in order, without control sequences: each line when it scrolls off the screen, the
 * screen before it is cleared, the last screen of a full-screen program when it ends, and the screen at the end. Memory is
 * one screen and a few thousand lines, however long the session.
 */
export async function* transcribe(
  frames: AsyncIterable<ShownFrame>,
  size: { cols: number; rows: number },
): AsyncGenerator<string> {
  const page = new Page(size);
  try {
    let waiting = 0;
    let last: Promise<void> = Promise.resolve();
    for await (const frame of frames) {
      const shown = shownBy(frame);
      switch (shown.what) {
        case "nothing":
          continue;
        case "size":
          await last;
          page.resize(shown.cols, shown.rows);
          break;
        case "bytes":
          for (let at = 0; at < shown.bytes.length; at += sliceBytes) {
            last = page.write(shown.bytes.subarray(at, at + sliceBytes));
            if (++waiting < waitingSlicesMax) continue;
            await last;
            waiting = 0;
            yield* page.taken();
          }
          break;
      }
    }
    await last;
    page.finish();
    yield* page.taken();
  } finally {
    page.dispose();
  }
}

class Page {
  readonly #terminal: Terminal;
  /** Rows at the top of the ordinary buffer that were taken already. */
  #takenRows = 0;
  #lines: string[] = [];

  constructor(size: { cols: number; rows: number }) {
    this.#terminal = new headless.Terminal({
      ...boundedSize(size),
      scrollback: scrollbackLines,
      allowProposedApi: true,
    });
    const { parser } = this.#terminal;
    // xterm's ctlseqs: ED clears, DECSET 47, 1047 and 1049 leave a full-screen program, RIS clears everything.
    parser.registerCsiHandler({ final: "J" }, (params) => {
      const { cursorX, cursorY } = this.#terminal.buffer.active;
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

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) =>
      this.#terminal.write(bytes, () => {
        this.#takeScrolled();
        if (this.#takenRows > keptLinesMax) this.#dropTaken();
        resolve();
      }),
    );
  }

  /** Call when all writes are done: lines are wrapped anew, so what was taken must be gone before. */
  resize(cols: number, rows: number): void {
    this.#takeScrolled();
    this.#dropTaken();
    this.#terminal.resize(cols, rows);
  }

  finish(): void {
    this.#takeFullScreen();
    this.#takeScreen();
  }

  /** Lines since the last call. */
  taken(): readonly string[] {
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  dispose(): void {
    this.#terminal.dispose();
  }

  #takeScrolled(): void {
    const buffer = this.#terminal.buffer.normal;
    let end = buffer.baseY;
    // A line that goes on below is taken whole, later.
    while (end > this.#takenRows && buffer.getLine(end)?.isWrapped) end--;
    this.#take(buffer, this.#takenRows, end);
    this.#takenRows = Math.max(this.#takenRows, end);
  }

  /** The ordinary screen, where it is the one that is seen. */
  #takeScreen(): void {
    if (this.#terminal.buffer.active.type !== "normal") return;
    this.#takeScrolled();
    const buffer = this.#terminal.buffer.normal;
    this.#take(buffer, Math.max(this.#takenRows, 0), lastFilled(buffer, this.#terminal.rows));
  }

  #takeFullScreen(): void {
    const buffer = this.#terminal.buffer.active;
    if (buffer.type !== "alternate") return;
    this.#take(buffer, buffer.baseY, lastFilled(buffer, this.#terminal.rows));
  }

  #take(buffer: IBuffer, from: number, end: number): void {
    let line: string | undefined;
    for (let row = from; row < end; row++) {
      const found = buffer.getLine(row);
      if (!found) break;
      // A wrapped row continues the one above it, whose blanks at the end are then part of the line.
      const goesOn = row + 1 < end && buffer.getLine(row + 1)?.isWrapped === true;
      line = (line ?? "") + found.translateToString(!goesOn);
      if (goesOn) continue;
      this.#lines.push(line);
      line = undefined;
    }
  }

  #dropTaken(): void {
    const { normal } = this.#terminal.buffer;
    const left = normal.baseY - this.#takenRows;
    // A smaller scrollback drops the oldest rows, with no sequence sent into what may be the middle of another.
    this.#terminal.options.scrollback = left;
    this.#terminal.options.scrollback = scrollbackLines;
    this.#takenRows = 0;
  }
}

/** One past the last row of the screen that has something on it. */
function lastFilled(buffer: IBuffer, rows: number): number {
  let end = Math.min(buffer.baseY + rows, buffer.length);
  while (end > buffer.baseY && buffer.getLine(end - 1)?.translateToString(true) === "") end--;
  return end;
}

import type { Terminal } from "@xterm/headless";
import { type ShownFrame, shownBy } from "./shown.ts";
import { ShownLines, scrollbackLines, sliceBytes } from "./shown-lines.ts";
import { unseenTerminal } from "./unseen-terminal.ts";

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
  readonly #shown: ShownLines;
  #lines: string[] = [];

  constructor(size: { cols: number; rows: number }) {
    this.#terminal = unseenTerminal(size, scrollbackLines);
    this.#shown = new ShownLines(this.#terminal, (lines) => {
      for (let n = 0; n < lines.count; n++) this.#lines.push(lines.text(n));
    });
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) =>
      this.#terminal.write(bytes, () => {
        this.#shown.written();
        resolve();
      }),
    );
  }

  /** Call when all writes are done. */
  resize(cols: number, rows: number): void {
    this.#shown.resizing();
    this.#terminal.resize(cols, rows);
  }

  finish(): void {
    this.#shown.finish();
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
}

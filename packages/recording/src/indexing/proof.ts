import headless from "@xterm/headless";
import type { IBuffer, Terminal } from "@xterm/headless";
import { assert } from "@gatehouse/kernel";
import { sameStyles, wordsOf } from "../transcript/cell-words.ts";

type Row = { text: string; words: Uint32Array; isEmpty: boolean };
/** What a terminal shows at a moment, to be compared later. */
type Shown = {
  cols: number;
  rows: number;
  type: IBuffer["type"];
  cursorX: number;
  cursorY: number;
  normal: (Row | undefined)[];
  alternate: (Row | undefined)[];
};

/**
 * A second terminal on which a state is tried before it is kept: the serializer leaves marks of its own in a few rare states, and
 * what it is not exact about must not be shown to anybody.
 */
export class Proof {
  readonly #terminal: Terminal = new headless.Terminal({
    cols: 80,
    rows: 24,
    scrollback: 1000,
    allowProposedApi: true,
  });

  /** Whether the sequences bring an empty terminal to what this one shows now. Several can be under way; the terminal may go on. */
  holds(state: string, terminal: Terminal): Promise<boolean> {
    const tried = this.#terminal;
    const shown = shownBy(terminal);
    // In its turn: those before may not have been tried yet.
    tried.write("", () => {
      tried.reset();
      if (tried.cols !== shown.cols || tried.rows !== shown.rows) tried.resize(shown.cols, shown.rows);
    });
    return new Promise((resolve) => tried.write(state, () => resolve(isSame(shownBy(tried), shown))));
  }

  dispose(): void {
    this.#terminal.dispose();
  }
}

function shownBy({ cols, rows, buffer }: Terminal): Shown {
  const { type, cursorX, cursorY } = buffer.active;
  const rowsOf = (from: IBuffer) => Array.from({ length: rows }, (_, row) => rowOf(from, from.baseY + row));
  return {
    cols,
    rows,
    type,
    cursorX,
    cursorY,
    normal: rowsOf(buffer.normal),
    alternate: rowsOf(buffer.alternate),
  };
}

/** The other of two buffers that is not in use has no rows. */
function rowOf(buffer: IBuffer, row: number): Row | undefined {
  const line = buffer.getLine(row);
  if (!line) return undefined;
  const words = wordsOf(line);
  assert(words, "the terminal's library is the version that is known here");
  return {
    text: line.translateToString(),
    words: words.slice(),
    isEmpty: line.translateToString(true) === "",
  };
}

function isSame(a: Shown, b: Shown): boolean {
  return (
    a.type === b.type &&
    a.cursorX === b.cursorX &&
    a.cursorY === b.cursorY &&
    a.normal.every((row, i) => isSameRow(row, b.normal[i], b.cols)) &&
    a.alternate.every((row, i) => isSameRow(row, b.alternate[i], b.cols))
  );
}

function isSameRow(a: Row | undefined, b: Row | undefined, cols: number): boolean {
  if (!a || !b) return (a ?? b)?.isEmpty !== false;
  return a.text === b.text && sameStyles(a.words, b.words, cols);
}

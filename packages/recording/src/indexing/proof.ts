import type { IBuffer, Terminal } from "@xterm/headless";
import { assert } from "@gatehouse/kernel";
import { isCombined, sameCells, wordsOf } from "../transcript/cell-words.ts";
import { unseenTerminal } from "../transcript/unseen-terminal.ts";

/** A screen at a moment, to be compared later. */
type Screen = {
  /** Of all its cells. */
  words: Uint32Array;
  /** Rows that there are: the other of two buffers, the one that is not in use, has none. */
  isThere: boolean[];
  /** Of rows in which a cell has more than one character, which its word does not hold. */
  texts: (string | undefined)[];
};
type Shown = {
  cols: number;
  rows: number;
  type: IBuffer["type"];
  cursorX: number;
  cursorY: number;
  screens: Screen[];
};

/**
 * A second terminal on which a state is tried before it is kept: the serializer leaves marks of its own in a few rare states, and
 * what it is not exact about must not be shown to anybody.
 */
export class Proof {
  readonly #terminal: Terminal = unseenTerminal({ cols: 80, rows: 24 }, 1000);

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
  const { active, normal, alternate } = buffer;
  const { type, cursorX, cursorY } = active;
  const screens = [normal, alternate].map((one) => screenOf(one, cols, rows));
  return { cols, rows, type, cursorX, cursorY, screens };
}

function screenOf(buffer: IBuffer, cols: number, rows: number): Screen {
  const screen: Screen = { words: new Uint32Array(3 * cols * rows), isThere: [], texts: [] };
  for (let row = 0; row < rows; row++) {
    const line = buffer.getLine(buffer.baseY + row);
    const words = wordsOf(line);
    assert(!line || words, "the terminal's library is the version that is known here");
    screen.isThere.push(words !== undefined);
    const own = words?.subarray(0, 3 * cols);
    if (own) screen.words.set(own, 3 * cols * row);
    screen.texts.push(own && hasCombined(own) ? line?.translateToString() : undefined);
  }
  return screen;
}

function hasCombined(words: Uint32Array): boolean {
  for (let at = 0; at < words.length; at += 3) if (isCombined(words[at] as number)) return true;
  return false;
}

function isSame(a: Shown, b: Shown): boolean {
  return (
    a.type === b.type &&
    a.cursorX === b.cursorX &&
    a.cursorY === b.cursorY &&
    a.screens.every((screen, i) => isSameScreen(screen, b.screens[i] as Screen, a.cols))
  );
}

function isSameScreen(a: Screen, b: Screen, cols: number): boolean {
  // A row that is not there is an empty one.
  if (a.isThere.every((isThere, row) => isThere === b.isThere[row])) {
    if (!sameCells(a.words, b.words)) return false;
  } else
    for (let row = 0; row < a.isThere.length; row++) {
      const [from, to] = [3 * cols * row, 3 * cols * (row + 1)];
      const isBoth = a.isThere[row] === true && b.isThere[row] === true;
      if (isBoth && !sameCells(a.words.subarray(from, to), b.words.subarray(from, to))) return false;
      if (isBoth) continue;
      for (let at = from; at < to; at += 3) if (a.words[at] !== 0 || b.words[at] !== 0) return false;
    }
  return a.texts.every((text, row) => text === b.texts[row]);
}

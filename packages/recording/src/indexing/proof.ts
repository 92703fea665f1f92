import headless from "@xterm/headless";
import type { IBuffer, Terminal } from "@xterm/headless";
import { equalStyles } from "./sgr.ts";

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

  /** Whether the sequences bring an empty terminal to what this one shows. */
  async holds(state: string, shown: Terminal): Promise<boolean> {
    const tried = this.#terminal;
    tried.reset();
    if (tried.cols !== shown.cols || tried.rows !== shown.rows) tried.resize(shown.cols, shown.rows);
    await new Promise<void>((resolve) => tried.write(state, resolve));
    return (
      tried.buffer.active.type === shown.buffer.active.type &&
      tried.buffer.active.cursorX === shown.buffer.active.cursorX &&
      tried.buffer.active.cursorY === shown.buffer.active.cursorY &&
      isSame(tried.buffer.normal, shown.buffer.normal, shown) &&
      isSame(tried.buffer.alternate, shown.buffer.alternate, shown)
    );
  }

  dispose(): void {
    this.#terminal.dispose();
  }
}

function isSame(a: IBuffer, b: IBuffer, { cols, rows }: { cols: number; rows: number }): boolean {
  const [one, other] = [a.getNullCell(), b.getNullCell()];
  for (let row = 0; row < rows; row++) {
    const [first, second] = [a.getLine(a.baseY + row), b.getLine(b.baseY + row)];
    // The other of two buffers that is not in use has no rows.
    if (!first || !second) {
      if (first?.translateToString(true) || second?.translateToString(true)) return false;
      continue;
    }
    if (first.translateToString() !== second.translateToString()) return false;
    for (let col = 0; col < cols; col++) {
      first.getCell(col, one);
      second.getCell(col, other);
      if (!equalStyles(one, other)) return false;
    }
  }
  return true;
}

import { cutText, textWidth } from "../output/mod.ts";
import type { Screen } from "./screen.ts";

/** The person's terminal, as the player needs it. */
export type ViewportOutput = {
  readonly columns: number;
  readonly rows: number;
  write(text: string): boolean;
};

/** Draws a screen on the person's terminal, which is theirs again after `close`. */
export type Viewport = {
  readonly rows: number;
  /** Draws what changed. `status` is one line below the recording, or over its last row where there is no room. */
  draw(screen: Screen, status: string | undefined): void;
  /** Forgets what is on the terminal: after a change of its size, or when something else wrote to it. */
  forget(): void;
  /** Gives the terminal back. Idempotent, and does nothing asynchronous: signal and exit handlers call it. */
  close(): void;
};

const esc = "\u001b";
// xterm's control sequences (ctlseqs): 1049 alternate screen, 7 autowrap, 25 cursor, 2026 synchronized output.
const enter = `${esc}[?1049h${esc}[?7l${esc}[2J`;
const leave = `${esc}[0m${esc}[?7h${esc}[?25h${esc}[?1049l`;

export function openViewport(output: ViewportOutput): Viewport {
  let drawn: string[] = [];
  let open = true;
  output.write(enter);

  return {
    get rows() {
      return output.rows;
    },
    draw(screen, status) {
      if (!open) return;
      const cols = output.columns;
      const height = output.rows;
      const below = height > screen.rows;
      const visible = Math.min(screen.rows, height);
      // On a terminal with fewer rows the window follows the cursor, which is where things happen.
      const first = Math.max(0, Math.min(screen.cursor.row - visible + 1, screen.rows - visible));
      const lines: string[] = [];
      for (let row = 0; row < visible; row++) lines.push(screen.row(first + row, cols));
      if (status !== undefined) {
        const line = `${esc}[7m${fitted(status, cols)}${esc}[0m`;
        if (below) {
          while (lines.length < height - 1) lines.push("");
          lines[height - 1] = line;
        } else lines[height - 1] = line;
      }
      let out = "";
      for (let row = 0; row < height; row++) {
        const line = lines[row] ?? "";
        if (drawn[row] === line) continue;
        // The row is cleared before it is written: after a full row the cursor waits on the last cell and would clear that.
        out += `${esc}[${row + 1};1H${esc}[0m${esc}[2K${line}`;
        drawn[row] = line;
      }
      drawn.length = height;
      const { cursor } = screen;
      const cursorRow = cursor.row - first;
      const shown =
        cursor.visible &&
        cursor.col < cols &&
        cursorRow < (status !== undefined && !below ? height - 1 : height);
      const place = shown ? `${esc}[${cursorRow + 1};${cursor.col + 1}H${esc}[?25h` : "";
      output.write(`${esc}[?2026h${esc}[?25l${out}${place}${esc}[?2026l`);
    },
    forget() {
      drawn = [];
      if (open) output.write(`${esc}[0m${esc}[2J`);
    },
    close() {
      if (!open) return;
      open = false;
      output.write(leave);
    },
  };
}

/** Exactly so many columns. */
function fitted(text: string, cols: number): string {
  const cut = cutText(text, cols);
  return cut + " ".repeat(Math.max(0, cols - textWidth(cut)));
}

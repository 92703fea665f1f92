import { Unicode11Addon } from "@xterm/addon-unicode11";
import headless from "@xterm/headless";
import type { Terminal } from "@xterm/headless";
import { boundedSize } from "./shown.ts";

/**
 * A terminal that nobody sees. Emoji and what else was added since Unicode 6 is two cells wide in it, as in the terminals that people
 * have and the C library of what they ran: with the widths that the library begins with, what stands after it would be misplaced.
 */
export function unseenTerminal(size: { cols: number; rows: number }, scrollback: number): Terminal {
  const terminal: Terminal = new headless.Terminal({
    ...boundedSize(size),
    scrollback,
    allowProposedApi: true,
  });
  terminal.loadAddon(new Unicode11Addon());
  terminal.unicode.activeVersion = "11";
  return terminal;
}

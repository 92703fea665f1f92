import headless from "@xterm/headless";
import type { Terminal } from "@xterm/headless";

/** The library's own terminal with nothing of ours around it, for what is compared with it. */
export function blankTerminal(): Terminal {
  return new headless.Terminal({ cols: 80, rows: 24, scrollback: 1000, allowProposedApi: true });
}

import type { Terminal } from "@xterm/headless";
import { unseenTerminal } from "../transcript/unseen-terminal.ts";

/** The library's own terminal with nothing of ours around it but how wide characters are, for what is compared with it. */
export function blankTerminal(): Terminal {
  return unseenTerminal({ cols: 80, rows: 24 }, 1000);
}

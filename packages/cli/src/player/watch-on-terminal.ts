import type { Clock } from "@gatehouse/kernel";
import { onTerminal } from "./terminal-stage.ts";
import { type WatchOutcome, type WatchSource, watch } from "./watch.ts";

/** Shows a live session on the person's terminal, and gives it back however this ends. */
export function watchOnTerminal(options: {
  source: WatchSource;
  clock: Clock;
  stdin: NodeJS.ReadStream;
  stdout: NodeJS.WriteStream;
  signal: AbortSignal;
}): Promise<WatchOutcome> {
  return onTerminal(options, (stage) => watch({ ...options, ...stage }));
}

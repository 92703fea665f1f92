import type { Clock } from "@gatehouse/kernel";
import type { PlaySource } from "./play-source.ts";
import { type PlayOutcome, play } from "./play.ts";
import { onTerminal } from "./terminal-stage.ts";

/** Plays on the person's terminal, and gives it back however this ends. */
export function playOnTerminal(options: {
  source: PlaySource;
  clock: Clock;
  speed: number;
  speeds: readonly number[];
  skipIdle: boolean;
  fromUs?: number;
  stdin: NodeJS.ReadStream;
  stdout: NodeJS.WriteStream;
  signal: AbortSignal;
}): Promise<PlayOutcome> {
  return onTerminal(options, (stage) => play({ ...options, ...stage }));
}

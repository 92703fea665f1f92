/**
 * player: a recording, or a live session, on a person's terminal.
 *
 * Owns: the pace, pausing and seeking, the keys, and drawing. What was recorded is drawn from a terminal of the player's
 * own and never written to the person's, so no recorded sequence can do anything there but show.
 * Never: knows where frames come from, or reads a file.
 */
export { formatMoment } from "./moment.ts";
export { type PlayFrame, type PlaySource } from "./play-source.ts";
export { playOnTerminal } from "./play-on-terminal.ts";
export { playRaw } from "./play-raw.ts";
export { statementText } from "./told-frames.ts";
export type { WatchSource } from "./watch.ts";
export { watchOnTerminal } from "./watch-on-terminal.ts";

import type { Frame } from "@gatehouse/recording";

export type FilmFrame = Pick<Frame, "kind" | "timeUs" | "stream" | "data">;

/** A thread that makes a film is begun with its `FilmOrder`, and told to go on after each of its words. */
export type ToThread = { go: true } | { frames: FilmFrame[]; isLast: boolean };
export type FromThread = { wanted: true } | { chunk: Uint8Array } | { done: true } | { fault: string };

import { type Frame, type Recording, laneOf } from "@gatehouse/recording";

/** The frames that somebody may see: with what was typed, or without. Ends when they have gone. */
export async function* visibleFrames(
  recording: Recording,
  { input }: { input: boolean },
  signal: AbortSignal,
  window: { fromTimeUs?: number; toTimeUs?: number } = {},
): AsyncGenerator<Frame> {
  for await (const frame of recording.frames(window)) {
    if (signal.aborted) return;
    if (input || laneOf(frame.kind) === "main") yield frame;
  }
}

import type { WireFrame } from "@gatehouse/contracts/rest";
import { GatehouseError } from "@gatehouse/kernel";

/** What a page may hold of one recording. Beyond it the rest is left on the gateway, and the page says so. */
const reelBytesMax = 256 * 1024 * 1024;

/** The frames of one recording as they came in, and how far that is. Grows; never changes what it has. */
export type Reel = {
  readonly frames: readonly WireFrame[];
  readonly bytes: number;
  /** The last frame's moment, in microseconds since the recording began. */
  readonly endUs: number;
  readonly state: "loading" | "whole" | "failed" | "too-large";
  readonly error?: unknown;
};

export const emptyReel: Reel = { frames: [], bytes: 0, endUs: 0, state: "loading" };

/** Tells of progress at most this often: a recording of many small frames must not render for each of them. */
const tellEveryMs = 100;

/**
 * Reads frames until the end, telling of progress. What was read before a failure stays: it is what could be verified.
 * Resolves in every case; the reel's state says how it went.
 */
export async function loadReel(
  frames: AsyncIterable<WireFrame>,
  tell: (reel: Reel) => void,
  { bytesMax = reelBytesMax, nowMs = () => performance.now() } = {},
): Promise<void> {
  const held: WireFrame[] = [];
  let bytes = 0;
  let toldMs = Number.NEGATIVE_INFINITY;
  const say = (state: Reel["state"], error?: unknown) =>
    tell({
      frames: held,
      bytes,
      endUs: held.at(-1)?.timeUs ?? 0,
      state,
      ...(error === undefined ? {} : { error }),
    });
  try {
    for await (const frame of frames) {
      bytes += frame.data.length;
      if (bytes > bytesMax) {
        say(
          "too-large",
          new GatehouseError({
            code: "too_large",
            op: "player.load",
            message: "this recording is too large to be held in a page",
            hint: "What stands here is its beginning. `gatehouse play` shows all of it.",
          }),
        );
        return;
      }
      // A frame's data is a view into a larger chunk, which it would keep alive.
      held.push({ ...frame, data: frame.data.slice() });
      if (nowMs() - toldMs < tellEveryMs) continue;
      toldMs = nowMs();
      say("loading");
    }
    say("whole");
  } catch (error) {
    say("failed", error);
  }
}

/** The first frame at or after a moment; the reel's length when there is none. */
export function frameAt(frames: readonly WireFrame[], timeUs: number): number {
  let low = 0;
  let high = frames.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((frames[middle]?.timeUs ?? 0) < timeUs) low = middle + 1;
    else high = middle;
  }
  return low;
}

import type { WireFrame } from "@gatehouse/contracts/rest";
import type { Watched } from "@gatehouse/contracts/watch-session";
import { GatehouseError } from "@gatehouse/kernel";

/** What a page may hold of one recording. Beyond it the rest is left on the gateway, and the page says so. */
const reelBytesMax = 256 * 1024 * 1024;

/** The frames of one recording as they came in, and how far that is. Grows; never changes what it has. */
export type Reel = {
  readonly frames: readonly WireFrame[];
  readonly bytes: number;
  /** The last frame's moment, in microseconds since the recording began; of a live session, how late it is there. */
  readonly endUs: number;
  /** `live`: all that there is so far, and more is coming. */
  readonly state: "loading" | "live" | "whole" | "failed" | "too-large";
  readonly error?: unknown;
};

export const emptyReel: Reel = { frames: [], bytes: 0, endUs: 0, state: "loading" };

/** Tells of progress at most this often: a recording of many small frames must not render for each of them. */
const tellEveryMs = 100;

class Gathering {
  readonly #held: WireFrame[] = [];
  readonly #bytesMax: number;
  #bytes = 0;
  nowUs = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** False when there is no more room. */
  add(frame: WireFrame): boolean {
    this.#bytes += frame.data.length;
    if (this.#bytes > this.#bytesMax) return false;
    // A frame's data is a view into a larger chunk, which it would keep alive.
    this.#held.push({ ...frame, data: frame.data.slice() });
    return true;
  }

  reel(state: Reel["state"], error?: unknown): Reel {
    return {
      frames: this.#held,
      bytes: this.#bytes,
      endUs: Math.max(this.nowUs, this.#held.at(-1)?.timeUs ?? 0),
      state,
      ...(error === undefined ? {} : { error }),
    };
  }

  tooLarge(): Reel {
    return this.reel(
      "too-large",
      new GatehouseError({
        code: "too_large",
        op: "player.load",
        message: "this recording is too large to be held in a page",
        hint: "What stands here is its beginning. `gatehouse play` shows all of it.",
      }),
    );
  }
}

/**
 * Reads frames until the end, telling of progress. What was read before a failure stays: it is what could be verified.
 * Resolves in every case; the reel's state says how it went.
 */
export async function loadReel(
  frames: AsyncIterable<WireFrame>,
  tell: (reel: Reel) => void,
  { bytesMax = reelBytesMax, nowMs = () => performance.now() } = {},
): Promise<void> {
  const gathering = new Gathering(bytesMax);
  let toldMs = Number.NEGATIVE_INFINITY;
  try {
    for await (const frame of frames) {
      if (!gathering.add(frame)) return tell(gathering.tooLarge());
      if (nowMs() - toldMs < tellEveryMs) continue;
      toldMs = nowMs();
      tell(gathering.reel("loading"));
    }
    tell(gathering.reel("whole"));
  } catch (error) {
    tell(gathering.reel("failed", error));
  }
}

/** Looks on at a live session until its end, telling of each frame, and whether the connection stands. */
export async function followReel(
  watched: AsyncIterable<Watched>,
  tell: (reel: Reel, isConnected: boolean) => void,
  { bytesMax = reelBytesMax } = {},
): Promise<void> {
  const gathering = new Gathering(bytesMax);
  let state: Reel["state"] = "loading";
  try {
    for await (const one of watched) {
      if (one.what === "frame" && !gathering.add(one.frame)) return tell(gathering.tooLarge(), false);
      if (one.what === "now") {
        gathering.nowUs = one.now.elapsedUs;
        if (one.now.behindUs === 0) state = "live";
      }
      tell(gathering.reel(state), one.what !== "lost");
    }
    tell(gathering.reel("whole"), true);
  } catch (error) {
    tell(gathering.reel("failed", error), false);
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

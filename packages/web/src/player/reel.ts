import type { WireFrame } from "@gatehouse/contracts/rest";
import type { Watched } from "@gatehouse/contracts/watch-session";
import { GatehouseError, isGatehouseError } from "@gatehouse/kernel";
import type { Index } from "./material.ts";
import { payload } from "./payload.ts";

/** What a page may hold of one recording. Beyond it the rest is left on the gateway, and the page says so. */
const reelBytesMax = 256 * 1024 * 1024;
/** Of a terminal that is looked on at the page holds the newest. With this much it lets go of what the gateway's index has… */
const newestBytes = 1024 * 1024;
/** …which it asks for no more often than this; */
const askEveryMs = 15_000;
/** and with this much it takes in no more before it could let go. */
const newestBytesMax = 32 * 1024 * 1024;
const roomTriesMax = 20;
const roomEveryMs = 5_000;

/** The frames of one recording as they came in, and how far that is. Grows, and lets go of what the gateway has; never changes a frame. */
export type Reel = {
  readonly frames: readonly WireFrame[];
  readonly bytes: number;
  /** The last frame's moment, in microseconds since the recording began; of a live session, how late it is there. */
  readonly endUs: number;
  /** `live`: all that there is so far, and more is coming. */
  readonly state: "loading" | "live" | "whole" | "failed" | "too-large";
  readonly error?: unknown;
  /** Of a live session: what the gateway's index has of it, whose last state of the screen the frames follow. */
  readonly before?: Before | undefined;
};
export type Before = { readonly index: Index; readonly keyframe: { seq: number; timeUs: number } };

export const emptyReel: Reel = { frames: [], bytes: 0, endUs: 0, state: "loading" };

/** Tells of progress at most this often: a recording of many small frames must not render for each of them. */
const tellEveryMs = 100;

class Gathering {
  #held: WireFrame[] = [];
  #bytes = 0;
  #before: Before | undefined;
  /** Of a live session: how late it is there. */
  nowUs = 0;

  get bytes(): number {
    return this.#bytes;
  }

  add(frame: WireFrame): void {
    if (this.#before && frame.seq < this.#before.keyframe.seq) return;
    this.#bytes += frame.data.length;
    // A frame's data is a view into a larger chunk, which it would keep alive.
    this.#held.push({ ...frame, data: frame.data.slice() });
  }

  /** Lets go of the frames that a state of the screen stands for. */
  follow(before: Before): void {
    const first = this.#held.findIndex(({ seq }) => seq >= before.keyframe.seq);
    // A list of its own: whoever holds the one before may still read it.
    this.#held = first < 0 ? [] : this.#held.slice(first);
    this.#bytes = this.#held.reduce((sum, { data }) => sum + data.length, 0);
    this.#before = before;
  }

  reel(state: Reel["state"], error?: unknown): Reel {
    const lastUs = this.#held.at(-1)?.timeUs ?? this.#before?.keyframe.timeUs ?? 0;
    const frames = () => this.#held;
    const before = () => this.#before;
    return {
      // Asked for each time: a page remembers reels of long ago, which must not keep alive what was let go.
      get frames() {
        return frames();
      },
      get before() {
        return before();
      },
      bytes: this.#bytes,
      endUs: Math.max(this.nowUs, lastUs),
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
  const gathering = new Gathering();
  let toldMs = Number.NEGATIVE_INFINITY;
  try {
    for await (const frame of frames) {
      if (gathering.bytes + frame.data.length > bytesMax) return tell(gathering.tooLarge());
      gathering.add(frame);
      if (nowMs() - toldMs < tellEveryMs) continue;
      toldMs = nowMs();
      tell(gathering.reel("loading"));
    }
    tell(gathering.reel("whole"));
  } catch (error) {
    tell(gathering.reel("failed", error));
  }
}

/**
 * Looks on at a live session until its end, telling of each frame, and whether the connection stands. Of a terminal only the newest is
 * held, as long as `readBefore` gives what the gateway has of the rest.
 */
export async function followReel(
  watched: AsyncIterable<Watched>,
  tell: (reel: Reel, isConnected: boolean) => void,
  {
    bytesMax = reelBytesMax,
    nowMs = () => performance.now(),
    ...newest
  }: {
    bytesMax?: number;
    nowMs?: () => number;
    readBefore?: () => Promise<Before | undefined>;
    wait?: (ms: number) => Promise<void>;
  } = {},
): Promise<void> {
  const gathering = new Gathering();
  let state: Reel["state"] = "loading";
  let { readBefore } = newest;
  let asking: Promise<void> | undefined;
  let askedMs = Number.NEGATIVE_INFINITY;
  const shorten = (): Promise<void> =>
    (asking ??= (readBefore?.() ?? Promise.resolve(undefined))
      .then((before) => before && gathering.follow(before))
      .catch((error: unknown) => {
        // Who may look on and not play holds what they saw.
        if (isGatehouseError(error, "denied")) readBefore = undefined;
      })
      .finally(() => {
        asking = undefined;
        askedMs = nowMs();
      }));
  const isFull = () => gathering.bytes > Math.min(bytesMax, readBefore ? newestBytesMax : bytesMax);
  // Nothing is lost by waiting: the gateway goes on from where this stopped.
  const makeRoom = async () => {
    for (let tries = 0; tries < roomTriesMax; tries++) {
      if (!isFull() || !readBefore) return;
      if (tries > 0) await newest.wait?.(roomEveryMs);
      await shorten();
    }
  };
  try {
    for await (const one of watched) {
      if (one.what === "frame") {
        // Tables are made of all that happened.
        if (one.frame.kind === "session.start" && payload(one.frame.data)["track"] !== "terminal")
          readBefore = undefined;
        gathering.add(one.frame);
      }
      if (one.what === "now") {
        gathering.nowUs = one.now.elapsedUs;
        if (one.now.behindUs === 0) state = "live";
      }
      if (readBefore && gathering.bytes > newestBytes && nowMs() - askedMs >= askEveryMs) void shorten();
      await makeRoom();
      if (isFull()) return tell(gathering.tooLarge(), false);
      tell(gathering.reel(state), one.what !== "lost");
    }
    tell(gathering.reel("whole"), true);
  } catch (error) {
    tell(gathering.reel("failed", error), false);
  }
}

/** The frames that no index has yet. */
export function unindexed({ frames, before }: Reel): readonly WireFrame[] {
  return before ? frames.slice(frameAt(frames, before.index.durationUs + 1)) : frames;
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

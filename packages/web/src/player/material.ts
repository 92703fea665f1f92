import type { RecordingOverview, Session } from "@gatehouse/contracts/rest";
import { useEffect, useMemo, useState } from "react";
import { gateway } from "../gateway.ts";
import { type Stretch, activity, idleStretches, sharesOf } from "./activity.ts";
import { FrameWindows, type ReadFrames } from "./frame-windows.ts";
import { ReelTape } from "./playback.ts";
import { LiveTape } from "./live-tape.ts";
import { type Reel, unindexed } from "./reel.ts";
import type { Tape } from "./showing.ts";
import { Keyframes, type ReadKeyframe, WindowedPlayback } from "./windowed-playback.ts";

/** How many bars a timeline has. */
export const timelineParts = 300;

export type Index = NonNullable<RecordingOverview["index"]>;

/** What a player shows, and what its timeline is drawn of. */
export type Material = {
  tape: Tape;
  endUs: number;
  /** Nothing of it can be shown yet. */
  isEmpty: boolean;
  /** More is read, by itself. */
  isLoading: boolean;
  /** From 0 to 1, how much went by in each part. */
  bars: readonly number[];
  idle: readonly Stretch[];
  /** Little enough to show any moment of it in passing. */
  isSmall: boolean;
};

const smallBytes = 512 * 1024;

/** All of a recording as it comes into the page. */
export function useReelMaterial(
  reel: Reel,
  session: Pick<Session, "durationMs">,
): Material & { tape: ReelTape } {
  const [tape] = useState(() => new ReelTape());
  const material = useMemo(() => {
    const knownUs = (session.durationMs ?? 0) * 1000;
    const endUs = Math.max(1, reel.endUs, reel.state === "loading" ? knownUs : 0);
    return {
      tape,
      endUs,
      isEmpty: reel.frames.length === 0,
      isLoading: reel.state === "loading",
      bars: activity(reel.frames, endUs, timelineParts),
      idle: reel.state === "loading" ? [] : idleStretches(reel.frames, endUs),
      isSmall: true,
    };
  }, [tape, reel, session.durationMs]);
  tape.feed(reel);
  return material;
}

/** What a screen reads of a recording as it needs it. */
function readsOf(sessionId: string): { frames: ReadFrames; keyframe: ReadKeyframe } {
  return {
    frames: (span, signal) => gateway.recordings.frames(sessionId, span, { signal }),
    keyframe: async (atUs, signal) => {
      const { keyframe } = await gateway.recordings.screen(sessionId, { atUs }, { signal });
      return keyframe ?? undefined;
    },
  };
}

/** A session that goes on, once the page holds only the newest of it. */
export function useLiveMaterial(sessionId: string, reel: Reel): Material | undefined {
  const [tape] = useState(() => new LiveTape(readsOf(sessionId)));
  const material = useMemo(() => {
    if (!reel.before) return undefined;
    const { index } = reel.before;
    const endUs = Math.max(1, reel.endUs);
    const newest = unindexed(reel);
    return {
      tape,
      endUs,
      isEmpty: false,
      isLoading: reel.state === "loading",
      bars: activity(newest, endUs, timelineParts, index.activity),
      idle: [...index.idle, ...idleStretches(newest, endUs, index.durationUs)],
      isSmall: false,
    };
  }, [tape, reel]);
  tape.feed(reel);
  return material;
}

/** Windows of a recording, as its index says where they lie. */
export function useIndexMaterial(sessionId: string, index: Index | undefined): Material | undefined {
  const made = useMemo(() => {
    if (!index) return undefined;
    const endUs = Math.max(1, index.durationUs);
    const reads = readsOf(sessionId);
    const windows = new FrameWindows(index, reads.frames);
    const keyframes = new Keyframes(reads.keyframe);
    const material: Material = {
      tape: { showOn: (screen) => new WindowedPlayback(screen, windows, keyframes) },
      endUs,
      isEmpty: false,
      isLoading: false,
      bars: sharesOf(index.activity, endUs, timelineParts),
      idle: index.idle,
      isSmall: windows.shownBytes(0, endUs) < smallBytes,
    };
    return { material, windows };
  }, [sessionId, index]);
  useEffect(() => () => made?.windows.abandon(), [made]);
  return made?.material;
}

import { watchSession } from "@gatehouse/contracts/watch-session";
import { useCallback, useEffect, useRef, useState } from "react";
import { gateway } from "../gateway.ts";
import { type Before, type Reel, emptyReel, followReel, loadReel } from "./reel.ts";

/** Rendering a long recording costs more, so it is done less often as it grows: at most a second late. */
const renderAfterMs = (frames: number) => Math.min(1000, Math.max(40, frames / 100));

export type Recorded = {
  reel: Reel;
  /** False while a connection to a live session is being made anew. */
  isConnected: boolean;
  /** Reads anew: a live recording has grown. */
  again: () => void;
};

/**
 * The frames of a session as they come, once they are wanted: from its recording, or with `isWatched` from the session while it is
 * live.
 */
export function useReel(sessionId: string, isWatched: boolean, isWanted: boolean): Recorded {
  const [reel, setReel] = useState(emptyReel);
  const [isConnected, setConnected] = useState(true);
  const stop = useRef<AbortController>(undefined);
  const read = useCallback(() => {
    stop.current?.abort();
    const mine = new AbortController();
    const { signal } = mine;
    stop.current = mine;
    if (isWatched) {
      let latest = emptyReel;
      let timer: ReturnType<typeof setTimeout> | undefined;
      signal.addEventListener("abort", () => clearTimeout(timer));
      const watched = watchSession({ client: gateway, sessionId, signal, wait });
      const tell = (next: Reel, connected: boolean) => {
        if (signal.aborted) return;
        latest = next;
        setConnected(connected);
        timer ??= setTimeout(() => {
          timer = undefined;
          setReel(latest);
        }, renderAfterMs(next.frames.length));
      };
      void followReel(watched, tell, {
        readBefore: () => readBefore(sessionId, signal),
        wait: (ms) => wait(ms, signal),
      });
      return;
    }
    void loadReel(gateway.recordings.frames(sessionId, {}, { signal }), (next) => {
      if (signal.aborted) return;
      // What is shown stays until there is as much of the new one.
      setReel((before) =>
        next.state === "loading" && next.frames.length < before.frames.length ? before : next,
      );
    });
  }, [sessionId, isWatched]);
  useEffect(() => {
    if (isWanted) read();
    return () => stop.current?.abort();
  }, [read, isWanted]);
  return { reel, isConnected: isConnected || !isWatched, again: read };
}

async function readBefore(sessionId: string, signal: AbortSignal): Promise<Before | undefined> {
  const { index } = await gateway.recordings.overview(sessionId, { signal });
  if (!index) return undefined;
  const { keyframe } = await gateway.recordings.screen(sessionId, { atUs: index.durationUs }, { signal });
  return keyframe ? { index, keyframe } : undefined;
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}

import { useCallback, useEffect, useRef, useState } from "react";
import { gateway } from "../gateway.ts";
import { type Reel, emptyReel, loadReel } from "./reel.ts";

/** The frames of a session's recording, as they come. `again` reads anew: a live recording has grown. */
export function useReel(sessionId: string): { reel: Reel; again: () => void } {
  const [reel, setReel] = useState(emptyReel);
  const stop = useRef<AbortController>(undefined);
  const read = useCallback(() => {
    stop.current?.abort();
    const mine = new AbortController();
    stop.current = mine;
    void loadReel(gateway.recordings.frames(sessionId, {}, { signal: mine.signal }), (next) => {
      if (mine.signal.aborted) return;
      // What is shown stays until there is as much of the new one.
      setReel((before) =>
        next.state === "loading" && next.frames.length < before.frames.length ? before : next,
      );
    });
  }, [sessionId]);
  useEffect(() => {
    read();
    return () => stop.current?.abort();
  }, [read]);
  return { reel, again: read };
}

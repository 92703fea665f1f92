import { useCallback, useEffect, useState } from "react";
import { gateway } from "../gateway.ts";
import { type Reel, emptyReel, loadReel } from "./reel.ts";

/** The frames of a session's recording, as they come. `again` reads anew: a live recording has grown. */
export function useReel(sessionId: string): { reel: Reel; again: () => void } {
  const [reel, setReel] = useState(emptyReel);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    // What is shown stays until there is as much of the new one.
    let shownFrames = 0;
    setReel((before) => {
      shownFrames = before.frames.length;
      return before;
    });
    void loadReel(gateway.recordings.frames(sessionId, {}, { signal: stop.signal }), (next) => {
      if (stop.signal.aborted) return;
      if (next.state === "loading" && next.frames.length < shownFrames) return;
      setReel(next);
    });
    return () => stop.abort();
  }, [sessionId, turn]);
  const again = useCallback(() => setTurn((n) => n + 1), []);
  return { reel, again };
}

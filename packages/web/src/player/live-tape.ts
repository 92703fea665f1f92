import { type FrameWindow, FrameWindows, type ReadFrames } from "./frame-windows.ts";
import type { Index } from "./material.ts";
import type { Reel } from "./reel.ts";
import type { Screen, Showing, Tape } from "./showing.ts";
import { Keyframes, type ReadKeyframe, WindowedPlayback } from "./windowed-playback.ts";

/** A session that goes on: the newest of it is in the page, and what lies before that is read as of a recording. */
export class LiveTape implements Tape {
  readonly #reads: { frames: ReadFrames; keyframe: ReadKeyframe };
  #index: Pick<Index, "durationUs" | "activity"> = { durationUs: 0, activity: { bucketUs: 1, bytes: [] } };
  #newest: FrameWindow = { fromUs: 0, toUs: Number.MAX_SAFE_INTEGER, frames: [], bytes: 0 };

  constructor(reads: { frames: ReadFrames; keyframe: ReadKeyframe }) {
    this.#reads = reads;
  }

  feed({ before, frames, bytes }: Reel): void {
    if (!before) return;
    this.#index = before.index;
    // The index has all of that moment, the frames perhaps not.
    this.#newest = { ...this.#newest, fromUs: before.keyframe.timeUs + 1, frames, bytes };
  }

  /** Each screen reads for itself: one that goes elsewhere takes nothing from another. */
  showOn(screen: Screen): Showing {
    const index = () => this.#index;
    const overview = {
      get durationUs() {
        return index().durationUs;
      },
      get activity() {
        return index().activity;
      },
    };
    const windows = new FrameWindows(overview, this.#reads.frames, () => this.#newest);
    return new WindowedPlayback(screen, windows, new Keyframes(this.#reads.keyframe));
  }
}

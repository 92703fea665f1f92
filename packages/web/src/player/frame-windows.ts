import type { RecordingOverview, WireFrame } from "@gatehouse/contracts/rest";

type Overview = Pick<NonNullable<RecordingOverview["index"]>, "durationUs" | "activity">;

/** A stretch of the recording that is here: `toUs` is not in it. */
export type FrameWindow = { fromUs: number; toUs: number; frames: readonly WireFrame[]; bytes: number };

/** How much a window is meant to hold, as the index tells how much was shown when. */
const windowBytes = 512 * 1024;
/** Where there is more than was told, the window is cut. */
const windowBytesMax = 4 * 1024 * 1024;
/** All windows together; what was not needed for longest goes. */
const keptBytesMax = 16 * 1024 * 1024;
/** What a frame takes beside its data. */
const frameBytes = 160;

export type ReadFrames = (
  span: { fromUs: number; toUs: number },
  signal: AbortSignal,
) => AsyncIterable<WireFrame>;

/** The frames of a recording by windows of time: read when they are asked for, kept for a while, bounded. */
export class FrameWindows {
  readonly #overview: Overview;
  readonly #read: ReadFrames;
  readonly #newest: (() => FrameWindow) | undefined;
  /** By their beginning, the last one used at the end. */
  readonly #kept = new Map<number, FrameWindow>();
  readonly #coming = new Map<number, { toUs: number; window: Promise<FrameWindow>; stop: AbortController }>();

  #failedUs: number | undefined;

  /** `newest`: where a session goes on, what is here of its end without being read. */
  constructor(overview: Overview, read: ReadFrames, newest?: () => FrameWindow) {
    this.#overview = overview;
    this.#read = read;
    this.#newest = newest;
  }

  /** The window that holds this moment. Rejects where it cannot be read, or was abandoned. */
  async at(timeUs: number): Promise<FrameWindow> {
    for (;;) {
      const here = this.#holding(timeUs);
      if (here) {
        if (this.#kept.delete(here.fromUs)) this.#kept.set(here.fromUs, here);
        return here;
      }
      // One that is coming may be cut before this moment: then it is looked for again.
      await (this.#comingAt(timeUs) ?? this.#fetch(timeUs));
    }
  }

  /** From this moment on everything is here up to the one that is returned. */
  reachUs(timeUs: number): number {
    let us = timeUs;
    for (let window = this.#holding(us); window; window = this.#holding(us)) us = window.toUs;
    return us;
  }

  /** The window after the one that is played comes before it is needed. */
  ahead(timeUs: number): void {
    const reachUs = this.#holding(timeUs)?.toUs ?? timeUs;
    if (reachUs > this.#overview.durationUs || reachUs === this.#failedUs) return;
    if (this.#holding(reachUs) || this.#comingAt(reachUs)) return;
    // Whoever needs it is told of a failure when it is needed, and until then it is not tried again.
    this.#fetch(reachUs).catch(() => (this.#failedUs = reachUs));
  }

  /** What is coming is not wanted any longer. */
  abandon(): void {
    for (const { stop } of this.#coming.values()) stop.abort();
    this.#coming.clear();
  }

  /** How much was shown between two moments, as the index has it. */
  shownBytes(fromUs: number, toUs: number): number {
    const { bucketUs, bytes } = this.#overview.activity;
    let sum = 0;
    for (let n = Math.floor(fromUs / bucketUs); n * bucketUs < toUs && n < bytes.length; n++) {
      const share = (Math.min(toUs, (n + 1) * bucketUs) - Math.max(fromUs, n * bucketUs)) / bucketUs;
      sum += (bytes[n] ?? 0) * Math.max(0, share);
    }
    return sum;
  }

  get keptBytes(): number {
    return [...this.#kept.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  #holding(timeUs: number): FrameWindow | undefined {
    const newest = this.#newest?.();
    if (newest && newest.fromUs <= timeUs && timeUs < newest.toUs) return newest;
    for (const window of this.#kept.values())
      if (window.fromUs <= timeUs && timeUs < window.toUs) return window;
    return undefined;
  }

  #comingAt(timeUs: number): Promise<FrameWindow> | undefined {
    for (const [fromUs, { toUs, window }] of this.#coming)
      if (fromUs <= timeUs && timeUs < toUs) return window;
    return undefined;
  }

  /** Where a window that begins here ends: it holds about as much as it should, and nothing that is here already. */
  #endOf(fromUs: number): number {
    const { durationUs, activity } = this.#overview;
    let left = windowBytes;
    let endUs = Math.min(durationUs + 1, this.#newest?.().fromUs ?? Number.POSITIVE_INFINITY);
    for (let n = Math.floor(fromUs / activity.bucketUs); n < activity.bytes.length; n++) {
      const startUs = Math.max(fromUs, n * activity.bucketUs);
      const perUs = (activity.bytes[n] ?? 0) / activity.bucketUs;
      const inBucket = perUs * ((n + 1) * activity.bucketUs - startUs);
      if (inBucket >= left) {
        endUs = Math.min(endUs, startUs + Math.max(1, Math.ceil(left / perUs)));
        break;
      }
      left -= inBucket;
    }
    for (const window of this.#kept.values())
      if (window.fromUs > fromUs && window.fromUs < endUs) endUs = window.fromUs;
    return endUs;
  }

  #fetch(fromUs: number): Promise<FrameWindow> {
    const stop = new AbortController();
    const toUs = this.#endOf(fromUs);
    const window = this.#gather({ fromUs, toUs }, stop).finally(() => {
      if (this.#coming.get(fromUs)?.stop === stop) this.#coming.delete(fromUs);
    });
    this.#coming.set(fromUs, { toUs, window, stop });
    return window;
  }

  async #gather(span: { fromUs: number; toUs: number }, stop: AbortController): Promise<FrameWindow> {
    const frames: WireFrame[] = [];
    let bytes = 0;
    let { toUs } = span;
    for await (const frame of this.#read(span, stop.signal)) {
      const lastUs = frames.at(-1)?.timeUs ?? frame.timeUs;
      // Never between frames of one moment: a moment is shown whole.
      if (bytes > windowBytesMax && frame.timeUs > lastUs) {
        toUs = frame.timeUs;
        break;
      }
      bytes += frame.data.length + frameBytes;
      // A frame's data is a view into a larger chunk, which it would keep alive.
      frames.push({ ...frame, data: frame.data.slice() });
    }
    const window = { fromUs: span.fromUs, toUs, frames, bytes };
    this.#keep(window);
    stop.abort();
    return window;
  }

  #keep(window: FrameWindow): void {
    this.#failedUs = undefined;
    this.#kept.set(window.fromUs, window);
    let kept = this.keptBytes;
    for (const [fromUs, { bytes }] of this.#kept) {
      if (kept <= keptBytesMax || fromUs === window.fromUs) break;
      this.#kept.delete(fromUs);
      kept -= bytes;
    }
  }
}

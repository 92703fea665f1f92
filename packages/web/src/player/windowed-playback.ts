import type { RecordingScreen, WireFrame } from "@gatehouse/contracts/rest";
import { concatBytes } from "@gatehouse/kernel";
import { boundedSize, shownBy, sizeAtFirst } from "@gatehouse/recording/shown";
import type { FrameWindows } from "./frame-windows.ts";
import { payload, sizeOf } from "./payload.ts";
import { type Screen, type Showing, writeBytesMax } from "./showing.ts";

export type Keyframe = NonNullable<RecordingScreen["keyframe"]>;
export type ReadKeyframe = (atUs: number, signal: AbortSignal) => Promise<Keyframe | undefined>;

/** Where more than this would have to be shown to get on, a state that was kept is nearer. */
const leapBytes = 512 * 1024;
const keyframesMax = 24;

/** States that the index has kept, as they were asked for: each is the nearest for a stretch of moments. */
export class Keyframes {
  readonly #read: ReadKeyframe;
  readonly #kept: { keyframe: Keyframe | undefined; fromUs: number; toUs: number }[] = [];

  constructor(read: ReadKeyframe) {
    this.#read = read;
  }

  async at(timeUs: number, signal: AbortSignal): Promise<Keyframe | undefined> {
    const known = this.#kept.find(({ fromUs, toUs }) => fromUs <= timeUs && timeUs <= toUs);
    if (known) return known.keyframe;
    const keyframe = await this.#read(timeUs, signal);
    const fromUs = keyframe?.timeUs ?? 0;
    const again = this.#kept.find((one) => one.fromUs === fromUs);
    if (again) again.toUs = Math.max(again.toUs, timeUs);
    else this.#kept.push({ keyframe, fromUs, toUs: timeUs });
    if (this.#kept.length > keyframesMax) this.#kept.shift();
    return keyframe;
  }
}

/**
 * Keeps a screen at a moment of a recording of which only windows are here. To get to a moment it takes the state that the index kept
 * last before it and the frames since: the same work however long the recording is, forwards and backwards.
 */
export class WindowedPlayback implements Showing {
  readonly #screen: Screen;
  readonly #windows: FrameWindows;
  readonly #keyframes: Keyframes;
  /** The screen holds every frame up to this moment, and of those at it all before `#nextSeq`. */
  #atUs = -1;
  #nextSeq = 0;
  #wantedUs: number | undefined;
  #working: Promise<void> | undefined;
  #stop = new AbortController();

  constructor(screen: Screen, windows: FrameWindows, keyframes: Keyframes) {
    this.#screen = screen;
    this.#windows = windows;
    this.#keyframes = keyframes;
  }

  async show(timeUs: number): Promise<void> {
    this.#wantedUs = Math.floor(timeUs);
    // What is waited for is of another place: somebody drags on.
    if (this.#working && this.#isFar(this.#wantedUs)) {
      this.#stop.abort();
      this.#windows.abandon();
    }
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
    await this.#working;
  }

  reachUs(timeUs: number): number {
    return this.#windows.reachUs(Math.floor(timeUs));
  }

  ahead(timeUs: number): void {
    this.#windows.ahead(Math.floor(timeUs));
  }

  #isFar(timeUs: number): boolean {
    return timeUs < this.#atUs || this.#windows.shownBytes(this.#atUs, timeUs) > leapBytes;
  }

  async #work(): Promise<void> {
    while (this.#wantedUs !== undefined) {
      const target = this.#wantedUs;
      this.#wantedUs = undefined;
      this.#stop = new AbortController();
      try {
        if (this.#atUs < 0 || this.#isFar(target)) await this.#leap(target);
        await this.#forward(target);
      } catch (error) {
        // Abandoned for a newer wish, which comes next.
        if (this.#wantedUs === undefined) throw error;
      }
    }
  }

  async #leap(target: number): Promise<void> {
    const keyframe = await this.#keyframes.at(target, this.#stop.signal);
    if (this.#atUs >= 0 && target >= this.#atUs && (keyframe?.seq ?? 0) <= this.#nextSeq) return;
    this.#screen.reset(keyframe ?? sizeAtFirst(undefined));
    this.#atUs = keyframe?.timeUs ?? 0;
    this.#nextSeq = keyframe?.seq ?? 0;
    if (keyframe) await this.#screen.write(keyframe.state);
  }

  async #forward(target: number): Promise<void> {
    for (let us = this.#atUs; us <= target;) {
      const { frames, toUs } = await this.#windows.at(us);
      if (this.#wantedUs !== undefined) return;
      if (!(await this.#apply(frames, target))) return;
      us = toUs;
      this.#atUs = Math.max(this.#atUs, Math.min(target, toUs));
    }
  }

  /** False when there is a newer wish. */
  async #apply(frames: readonly WireFrame[], target: number): Promise<boolean> {
    let parts: Uint8Array[] = [];
    let bytes = 0;
    const flush = async () => {
      const whole = parts.length === 1 ? parts[0] : concatBytes(parts);
      parts = [];
      bytes = 0;
      if (whole && whole.length > 0) await this.#screen.write(whole);
    };
    for (const frame of frames) {
      if (frame.seq < this.#nextSeq) continue;
      if (frame.timeUs > target) break;
      this.#nextSeq = frame.seq + 1;
      this.#atUs = Math.max(this.#atUs, frame.timeUs);
      const size = sizeIn(frame);
      if (size) {
        await flush();
        this.#screen.resize(size);
        continue;
      }
      const shown = shownBy(frame);
      if (shown.what !== "bytes") continue;
      parts.push(shown.bytes);
      bytes += shown.bytes.length;
      if (bytes < writeBytesMax) continue;
      await flush();
      if (this.#wantedUs !== undefined) return false;
    }
    await flush();
    return true;
  }
}

function sizeIn(frame: WireFrame): { cols: number; rows: number } | undefined {
  if (frame.kind === "session.start") {
    const size = sizeOf(payload(frame.data)["size"]);
    return size && boundedSize(size);
  }
  const shown = shownBy(frame);
  return shown.what === "size" ? shown : undefined;
}

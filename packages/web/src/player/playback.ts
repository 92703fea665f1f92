/* oxlint-disable no-control-regex -- terminals speak in control characters */
import type { WireFrame } from "@gatehouse/contracts/rest";
import { type Stretch, afterIdle } from "./activity.ts";
import { payload, sizeOf } from "./payload.ts";
import { type Reel, emptyReel, frameAt } from "./reel.ts";
import { type Screen, type Showing, type Tape, writeBytesMax } from "./showing.ts";

export type Keyframe = { index: number; timeUs: number; size: { cols: number; rows: number }; state: string };

/** A state of the screen is kept each time this much was written since the last: what going back costs at most. */
const keyframeBytes = 256 * 1024;
const keyframesMax = 400;

/**
 * A kept state holds what is on the screen, not a character or control sequence that has begun: one is never kept in the
 * middle of either. Where this is not sure it says no, and the next write is asked.
 */
function endsWhole(bytes: Uint8Array): boolean {
  const tail = String.fromCharCode(...bytes.subarray(-256));
  const last = tail.lastIndexOf("\u001b");
  if (/[\u0080-\u00ff]$/.test(tail)) return false;
  if (last < 0) return true;
  return /^\u001b(?:\[[0-?]*[ -/]*[@-~]|[ -/]*[0-Z\\^-~])/.test(tail.slice(last));
}

export const speeds = [0.5, 0.75, 1, 1.5, 2, 4] as const;

/**
 * Keeps a screen at a moment of a recording. The moment is set from outside, again and again; where the screen cannot
 * follow, moments between are passed over, so it is never behind by more than one step.
 */
export class Playback {
  readonly #screen: Screen;
  #frames: readonly WireFrame[] = [];
  #startSize = { cols: 80, rows: 24 };
  #size = this.#startSize;
  /** The first frame that is not on the screen. */
  #next = 0;
  readonly #keyframes: Keyframe[];
  #sinceKeyframe = 0;
  /** Whether what was written last ended between characters and control sequences. */
  #isWhole = true;
  #wantedUs: number | undefined;
  #working: Promise<void> | undefined;
  #fresh = true;

  /** Playbacks of one recording share the states that any of them has kept. */
  constructor(screen: Screen, keyframes: Keyframe[] = []) {
    this.#screen = screen;
    this.#keyframes = keyframes;
  }

  /** The frames known so far; a longer list of the same recording each time. */
  feed(frames: readonly WireFrame[], startSize: { cols: number; rows: number }): void {
    this.#frames = frames;
    if (this.#fresh) this.#startSize = startSize;
  }

  /** Resolves when the screen stands at this moment, or at a later wish. */
  async show(timeUs: number): Promise<void> {
    this.#wantedUs = timeUs;
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
    await this.#working;
  }

  async #work(): Promise<void> {
    while (this.#wantedUs !== undefined) {
      const target = frameAt(this.#frames, this.#wantedUs + 1);
      this.#wantedUs = undefined;
      if (this.#fresh || target < this.#next) await this.#back(target);
      else await this.#leap(target);
      await this.#forward(target);
    }
  }

  /** To the newest kept state that is not beyond the target. */
  async #back(target: number): Promise<void> {
    const keyframe = this.#keyframes.findLast((one) => one.index <= target);
    await this.#restore(keyframe);
  }

  /** A kept state between here and the target saves writing all that lies before it. */
  async #leap(target: number): Promise<void> {
    const keyframe = this.#keyframes.findLast((one) => one.index <= target);
    if (keyframe && keyframe.index > this.#next + 500) await this.#restore(keyframe);
  }

  async #restore(keyframe: Keyframe | undefined): Promise<void> {
    this.#fresh = false;
    this.#size = keyframe?.size ?? this.#startSize;
    this.#screen.reset(this.#size);
    this.#next = keyframe?.index ?? 0;
    this.#sinceKeyframe = 0;
    if (keyframe) await this.#screen.write(keyframe.state);
  }

  async #forward(target: number): Promise<void> {
    let parts: Uint8Array[] = [];
    let bytes = 0;
    const flush = async () => {
      if (bytes === 0) return;
      const whole = new Uint8Array(bytes);
      let at = 0;
      for (const part of parts) {
        whole.set(part, at);
        at += part.length;
      }
      parts = [];
      this.#sinceKeyframe += bytes;
      this.#isWhole = endsWhole(whole);
      bytes = 0;
      await this.#screen.write(whole);
    };
    while (this.#next < target) {
      const frame = this.#frames[this.#next] as WireFrame;
      this.#next++;
      if (frame.kind === "output" || frame.kind === "notice") {
        parts.push(frame.data);
        bytes += frame.data.length;
      } else if (frame.kind === "resize") {
        const size = sizeOf(payload(frame.data));
        if (size) {
          await flush();
          this.#size = size;
          this.#screen.resize(size);
        }
      }
      if (bytes < writeBytesMax) continue;
      await flush();
      this.#keep();
      // Somebody drags on: what was asked for before matters no more.
      if (this.#wantedUs !== undefined) return;
    }
    await flush();
    this.#keep();
  }

  #keep(): void {
    if (this.#sinceKeyframe < keyframeBytes || this.#keyframes.length >= keyframesMax) return;
    if (!this.#isWhole) return;
    this.#sinceKeyframe = 0;
    if (this.#keyframes.some((one) => one.index === this.#next)) return;
    const timeUs = this.#frames[this.#next - 1]?.timeUs ?? 0;
    this.#keyframes.push({ index: this.#next, timeUs, size: this.#size, state: this.#screen.serialize() });
    this.#keyframes.sort((a, b) => a.index - b.index);
  }

  /** For tests: how many states are kept. */
  get keyframeCount(): number {
    return this.#keyframes.length;
  }
}

/** A recording of which all is in the page, or will be. Its screens share the states that any of them has kept. */
export class ReelTape implements Tape {
  readonly #keyframes: Keyframe[] = [];
  #frames = emptyReel.frames;
  #loadedUs = Number.POSITIVE_INFINITY;
  #startSize = { cols: 80, rows: 24 };

  feed(reel: Reel): void {
    this.#frames = reel.frames;
    // While frames still come in, the moment waits at the last one.
    this.#loadedUs = reel.state === "loading" ? reel.endUs : Number.POSITIVE_INFINITY;
    const first = reel.frames[0];
    const size = first?.kind === "session.start" ? sizeOf(payload(first.data)["size"]) : undefined;
    if (size) this.#startSize = size;
  }

  showOn(screen: Screen): Showing {
    const playback = new Playback(screen, this.#keyframes);
    return {
      show: (timeUs) => {
        playback.feed(this.#frames, this.#startSize);
        return playback.show(timeUs);
      },
      reachUs: () => this.#loadedUs,
      ahead: () => undefined,
    };
  }
}

/** The moment after `elapsedMs` of playing. Idle time that was skipped is jumped over. */
export function advance(
  timeUs: number,
  elapsedMs: number,
  speed: number,
  idle: readonly Stretch[] | undefined,
  endUs: number,
): number {
  const moved = timeUs + elapsedMs * 1000 * speed;
  return Math.min(endUs, idle ? Math.max(moved, afterIdle(idle, moved)) : moved);
}

import type { Clock } from "@gatehouse/kernel";
import type { Frame, FrameKind } from "@gatehouse/recording";
import type { Follower, GrowingRecording } from "@gatehouse/recording/pipeline";

/** A recording that grows, in memory. */
export class MemoryRecording implements GrowingRecording {
  readonly all: Frame[];
  closed = false;
  readonly #clock: Clock;
  readonly #startedUs: number;
  readonly #followers = new Set<Follower>();

  /** One that began so long ago, with these frames. */
  constructor(clock: Clock, { elapsedUs = 0, all = [] }: { elapsedUs?: number; all?: Frame[] } = {}) {
    this.all = all;
    this.#clock = clock;
    this.#startedUs = clock.monotonicUs() - elapsedUs;
  }
  get frames(): number {
    return this.all.length;
  }
  get followers(): number {
    return this.#followers.size;
  }
  elapsedUs(): number {
    return this.#clock.monotonicUs() - this.#startedUs;
  }
  append(kind: FrameKind, stream: number, data: Uint8Array): void {
    // What a follower does not copy is gone.
    const shared = Uint8Array.from(data);
    this.all.push({
      seq: this.all.length,
      timeUs: this.elapsedUs(),
      kind,
      stream,
      data: Uint8Array.from(data),
    });
    const frame = { ...(this.all.at(-1) as Frame), data: shared };
    for (const follower of this.#followers) follower.frames([frame]);
    shared.fill(0);
  }
  close(): void {
    this.closed = true;
    for (const follower of this.#followers) follower.closed();
  }
  async *read(fromSeq: number): AsyncGenerator<Frame> {
    const end = this.all.length;
    for (const frame of this.all.slice(fromSeq, end)) yield frame;
  }
  follow(follower: Follower): () => void {
    this.#followers.add(follower);
    return () => void this.#followers.delete(follower);
  }
}

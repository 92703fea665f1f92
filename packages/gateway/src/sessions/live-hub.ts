import type { Clock } from "@gatehouse/kernel";
import type { Frame } from "@gatehouse/recording";
import type { GrowingRecording } from "@gatehouse/recording/pipeline";

/** What an observer is shown. */
export type Sight =
  | { readonly what: "frames"; readonly frames: readonly Frame[] }
  /** How late it is, in microseconds since the session began, and how far behind that what was shown so far is. */
  | {
      readonly what: "now";
      readonly elapsedUs: number;
      readonly behindUs: number;
      /** The observer was too slow for its queue; what follows is read from the recording, and nothing is left out. */
      readonly resynced: boolean;
    };

export type HubLimits = {
  /** Of frames that wait for one observer; with more, they are read from the recording when it is ready for them. */
  queueBytesMax: number;
  queueFramesMax: number;
  /** How often an observer is told how late it is, whether or not anything happens. */
  nowEveryMs: number;
};
export const hubLimits: HubLimits = {
  queueBytesMax: 1024 * 1024,
  queueFramesMax: 4096,
  nowEveryMs: 5_000,
};

/** Frames out of the recording go together in pieces of about this size. */
const pieceBytes = 64 * 1024;
const pieceFramesMax = 1024;

/**
 * Shows one live session to any number of observers: first what is recorded, then what comes. A queue for each, of bounded
 * size, and nobody waits for any of them: one that is slow loses its queue, not a frame, for the recording has them all.
 */
export class LiveHub {
  readonly #recording: GrowingRecording;
  readonly #clock: Clock;
  readonly #limits: HubLimits;
  readonly #queues = new Set<Queue>();
  #unfollow: (() => void) | undefined;

  constructor(options: { recording: GrowingRecording; clock: Clock; limits?: Partial<HubLimits> }) {
    this.#recording = options.recording;
    this.#clock = options.clock;
    this.#limits = { ...hubLimits, ...options.limits };
  }

  /** From this frame on, to the end of the session or until `signal` is aborted. */
  async *observe(fromSeq: number, signal: AbortSignal): AsyncGenerator<Sight> {
    const recording = this.#recording;
    const queue = new Queue(this.#limits);
    // Whoever is gone may never ask for the next sight, and so never come to the end of this.
    const gone = () => {
      this.#remove(queue);
      queue.wake();
    };
    signal.addEventListener("abort", gone);
    this.#add(queue);
    let next = fromSeq;
    let shownUs = 0;
    let toldUs = this.#clock.monotonicUs();
    const frames = (piece: readonly Frame[]): Sight => {
      const last = piece.at(-1) as Frame;
      next = last.seq + 1;
      shownUs = last.timeUs;
      return { what: "frames", frames: piece };
    };
    const now = (resynced: boolean): Sight => {
      const elapsedUs = recording.elapsedUs();
      toldUs = this.#clock.monotonicUs();
      const behindUs = next < recording.frames ? Math.max(0, elapsedUs - shownUs) : 0;
      return { what: "now", elapsedUs, behindUs, resynced };
    };
    const isDue = () => this.#clock.monotonicUs() - toldUs >= this.#limits.nowEveryMs * 1000;
    try {
      for (let resynced = false; !signal.aborted; resynced = true) {
        // In this order: what becomes durable after the reading began is in the queue.
        queue.begin();
        if (resynced) yield now(true);
        for await (const piece of inPieces(recording.read(next))) {
          if (signal.aborted) return;
          yield frames(piece);
          if (isDue()) yield now(false);
        }
        yield now(false);
        while (!queue.overflowed) {
          const piece = queue.take().filter(({ seq }) => seq >= next);
          if (signal.aborted) return;
          if (piece.length > 0) yield frames(piece);
          else if (recording.closed && next >= recording.frames) return;
          else await queue.woken(this.#clock);
          if (isDue() && !queue.overflowed) yield now(false);
        }
      }
    } finally {
      signal.removeEventListener("abort", gone);
      this.#remove(queue);
    }
  }

  #add(queue: Queue): void {
    this.#queues.add(queue);
    this.#unfollow ??= this.#recording.follow({
      frames: (given) => {
        // One copy for all: the memory behind `given` is used again when this returns.
        const kept = given.map((frame) => ({ ...frame, data: Uint8Array.from(frame.data) }));
        for (const one of this.#queues) one.put(kept);
      },
      closed: () => {
        for (const one of this.#queues) one.wake();
      },
    });
  }
  #remove(queue: Queue): void {
    this.#queues.delete(queue);
    if (this.#queues.size > 0) return;
    this.#unfollow?.();
    this.#unfollow = undefined;
  }
}

class Queue {
  readonly #limits: HubLimits;
  #frames: Frame[] = [];
  #bytes = 0;
  #overflowed = false;
  #woken: (() => void) | undefined;
  /** It was woken while nobody waited. */
  #pending = false;

  constructor(limits: HubLimits) {
    this.#limits = limits;
  }
  get overflowed(): boolean {
    return this.#overflowed;
  }
  begin(): void {
    this.#drop();
    this.#overflowed = false;
  }
  put(frames: readonly Frame[]): void {
    if (this.#overflowed) return;
    for (const frame of frames) {
      this.#frames.push(frame);
      this.#bytes += frame.data.length;
    }
    if (this.#bytes > this.#limits.queueBytesMax || this.#frames.length > this.#limits.queueFramesMax) {
      this.#overflowed = true;
      this.#drop();
    }
    this.wake();
  }
  take(): Frame[] {
    const frames = this.#frames;
    this.#drop();
    return frames;
  }
  wake(): void {
    this.#pending = true;
    this.#woken?.();
  }
  /** Resolves when there is something new, or after a while. */
  async woken(clock: Clock): Promise<void> {
    if (!this.#pending)
      await new Promise<void>((resolve) => {
        const timer = clock.after(this.#limits.nowEveryMs, resolve);
        this.#woken = () => {
          timer.cancel();
          resolve();
        };
      });
    this.#woken = undefined;
    this.#pending = false;
  }
  #drop(): void {
    this.#frames = [];
    this.#bytes = 0;
  }
}

async function* inPieces(frames: AsyncIterable<Frame>): AsyncGenerator<Frame[]> {
  let piece: Frame[] = [];
  let bytes = 0;
  for await (const frame of frames) {
    piece.push(frame);
    bytes += frame.data.length;
    if (bytes < pieceBytes && piece.length < pieceFramesMax) continue;
    yield piece;
    piece = [];
    bytes = 0;
  }
  if (piece.length > 0) yield piece;
}

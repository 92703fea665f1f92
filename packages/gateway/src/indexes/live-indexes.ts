import { type Clock, type Timer, messageOf } from "@gatehouse/kernel";
import { type Recording, type RecordingSource, segmentName } from "@gatehouse/recording";
import { type RecordingIndex, openIndex } from "@gatehouse/recording/index";
import { nodeZstd } from "@gatehouse/recording/node";
import type { Log } from "../telemetry/mod.ts";
import { type Threads, makeIndexSoFar } from "./making.ts";

/** It is not made anew within this time, nor within so many times what making it took: a long session costs a share of a core at most. */
const freshMs = 10_000;
const freshTimes = 8;
/** Who asks waits this long, and then is answered with what there is. */
const waitMs = 5_000;
/** One that nobody asked for in this time is forgotten. */
const keptMs = 5 * 60_000;
const keptBytesMax = 256 * 1024 * 1024;

type Kept = {
  index?: RecordingIndex;
  bytes: number;
  segments: number;
  /** Until when it is fresh enough, and until when it is kept. */
  freshUntilMs: number;
  keptUntilMs: number;
  making?: Promise<void> | undefined;
};

/**
 * Indexes of recordings that are still written, of what is stored of them so far. Each is made when somebody asks, one after the other, held
 * in memory and nowhere else, encrypted as one that is stored would be, and made anew when there is more.
 */
export class LiveIndexes {
  readonly #threads: Threads;
  readonly #clock: Clock;
  readonly #log: Pick<Log, "warn">;
  readonly #kept = new Map<string, Kept>();
  #turn: Promise<void> = Promise.resolve();
  #sweeping: Timer | undefined;

  constructor(options: { threads: Threads; clock: Clock; log: Pick<Log, "warn"> }) {
    this.#threads = options.threads;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** Undefined where none could be made in time. */
  async open(recording: Recording, source: RecordingSource): Promise<RecordingIndex | undefined> {
    const { sessionId } = recording.facts;
    const nowMs = this.#nowMs();
    const kept: Kept = this.#kept.get(sessionId) ?? {
      bytes: 0,
      segments: 0,
      freshUntilMs: 0,
      keptUntilMs: 0,
    };
    kept.keptUntilMs = nowMs + keptMs;
    // In order of their last use.
    this.#kept.delete(sessionId);
    this.#kept.set(sessionId, kept);
    this.#sweep();
    if (nowMs >= kept.freshUntilMs) kept.making ??= this.#inTurn(() => this.#make(recording, source, kept));
    if (kept.making) await this.#soon(kept.making);
    return kept.index;
  }

  /** It is closed: what is stored counts. */
  forget(sessionId: string): void {
    this.#kept.delete(sessionId);
  }

  async stop(): Promise<void> {
    this.#sweeping?.cancel();
    this.#kept.clear();
    await this.#turn;
  }

  async #make(recording: Recording, source: RecordingSource, kept: Kept): Promise<void> {
    const startedMs = this.#nowMs();
    try {
      const present = new Set(await source.list());
      let segments = 0;
      while (present.has(segmentName(segments))) segments++;
      if (segments > kept.segments) {
        const bytes = await makeIndexSoFar({ recording, source, threads: this.#threads }, segments);
        kept.index = await openIndex({
          read: async (start, end) => bytes.subarray(start, end),
          recordingId: recording.facts.sessionId,
          deriveKey: recording.deriveKey,
          zstd: nodeZstd,
        });
        kept.bytes = bytes.length;
        kept.segments = segments;
      }
    } catch (error) {
      // An index is never needed. What failed is not tried again at once.
      if (!this.#threads.signal.aborted)
        this.#log.warn("an index of a live session could not be made", {
          session: recording.facts.sessionId,
          error: messageOf(error),
        });
    }
    const endedMs = this.#nowMs();
    kept.freshUntilMs = endedMs + Math.max(freshMs, freshTimes * (endedMs - startedMs));
    kept.making = undefined;
  }

  #nowMs(): number {
    return this.#clock.monotonicUs() / 1000;
  }

  #inTurn(what: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(what);
    return this.#turn;
  }

  async #soon(making: Promise<void>): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = this.#clock.after(waitMs, late.resolve);
    await Promise.race([making, late.promise]);
    timer.cancel();
  }

  #sweep(): void {
    const nowMs = this.#nowMs();
    let bytes = 0;
    // From the one that was asked for last.
    for (const [sessionId, kept] of [...this.#kept].reverse()) {
      bytes += kept.bytes;
      if (kept.keptUntilMs <= nowMs || bytes > keptBytesMax) this.#kept.delete(sessionId);
    }
    this.#sweeping?.cancel();
    this.#sweeping = this.#kept.size === 0 ? undefined : this.#clock.after(keptMs, () => this.#sweep());
  }
}

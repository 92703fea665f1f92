import { messageOf } from "@gatehouse/kernel";
import type { Lane } from "../frame.ts";
import type { LaneSealer } from "../lane-sealer.ts";
import { type Manifest, type RecordingEnd, type SegmentEntry, signManifest } from "../manifest.ts";
import type { Opening } from "../opening.ts";
import type { RecordingSigner, SealCrypto } from "../seal-crypto.ts";
import { type BuiltSegment, type SegmentPlace, sealSegment } from "../segment-writer.ts";
import type { FrameMemory } from "./frame-memory.ts";
import type { PipelineLog } from "./log.ts";
import type { Batch } from "./live-recording.ts";
import type { Spool } from "./spool.ts";
import { type RetryOptions, type Slots, untilDone } from "./waiting.ts";

/** What a frame takes beside its data, at most. */
const encodedFrameBytes = 32;

export type RecordingSealerOptions = {
  memory: FrameMemory;
  opening: Opening;
  sealers: Readonly<Record<Lane, LaneSealer>>;
  signer: RecordingSigner;
  crypto: SealCrypto;
  spool: Spool;
  slots: Slots;
  retry: RetryOptions;
  log: PipelineLog;
  /** The batch is in the spool: its journal space can go, its segment can be shipped. */
  spooled(batch: Batch, segment: BuiltSegment): void;
  /** The spool's last write: failed, or not. */
  heard(error?: unknown): void;
};

/** Makes one recording's batches into its chain of segments, one after the other, and its manifest at the end. */
export class RecordingSealer {
  readonly #options: RecordingSealerOptions;
  readonly #entries: SegmentEntry[] = [];
  #previousSha256: Uint8Array | undefined;
  #tail: Promise<void> = Promise.resolve();

  constructor(options: RecordingSealerOptions) {
    this.#options = options;
  }

  /** Resolves when nothing is being sealed. */
  settled(): Promise<void> {
    return this.#tail;
  }

  seal(batch: Batch): void {
    this.#tail = this.#tail.then(() => this.#seal(batch));
  }

  /**
   * Once all batches are sealed: signs the manifest and puts it in the spool. Tries for ever; `failed` hears of it.
   * `undefined` when the pipeline was stopped before it could be done.
   */
  async finish(
    state: "complete" | "interrupted",
    end: Omit<RecordingEnd, "lastTimeUs">,
  ): Promise<{ manifest: Manifest; bytes: Uint8Array } | undefined> {
    await this.#tail;
    const { opening, signer, spool, heard, retry } = this.#options;
    const last = this.#entries.at(-1);
    if (!last || retry.signal.aborted) return undefined;
    const content = {
      ...opening,
      state,
      end: { ...end, lastTimeUs: last.lastTimeUs },
      segments: this.#entries,
    };
    const done = await untilDone(
      retry,
      async () => {
        const signed = await signManifest(content, signer);
        await spool.addManifest(opening.facts.sessionId, signed.bytes);
        return signed;
      },
      (error) => this.#failed(error),
    );
    if (done) heard();
    return done?.value;
  }

  async #seal(batch: Batch): Promise<void> {
    const { opening, spool, slots, retry, spooled, heard } = this.#options;
    const { sessionId } = opening.facts;
    const n = this.#entries.length;
    const previousSha256 = this.#previousSha256;
    const place: SegmentPlace = previousSha256
      ? { recordingId: sessionId, n, previousSha256 }
      : { recordingId: sessionId, n: 0, opening };
    let built: BuiltSegment | undefined;
    const done = await untilDone(
      retry,
      () =>
        slots.with(async () => {
          built ??= await this.#build(place, batch);
          await spool.addSegment(sessionId, opening, built);
          return built;
        }),
      (error) => this.#failed(error),
    );
    // Stopped: the journal has it still.
    if (!done) return;
    this.#previousSha256 = done.value.sha256;
    this.#entries.push(done.value.entry);
    heard();
    spooled(batch, done.value);
  }

  async #build(place: SegmentPlace, batch: Batch): Promise<BuiltSegment> {
    const { memory } = this.#options;
    const scratch = memory.borrow(batch.bytes + batch.frames.length * encodedFrameBytes);
    try {
      return await sealSegment({ ...this.#options, place, frames: batch.frames, scratch });
    } finally {
      memory.release(scratch);
    }
  }

  #failed(error: unknown): void {
    const { heard, log, opening } = this.#options;
    heard(error);
    log.error("a segment could not be put in the spool; the journal keeps it and it is tried again", {
      session: opening.facts.sessionId,
      error: messageOf(error),
    });
  }
}

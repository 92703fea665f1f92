import { equalBytes, fromHex, messageOf } from "@gatehouse/kernel";
import type { Frame } from "../frame.ts";
import type { SegmentEntry } from "../manifest.ts";
import { nodeZstd } from "../node/zstd.ts";
import { importKeys, openSegment } from "../segment-opener.ts";
import { parseSegment } from "../segment-layout.ts";
import { sha256 } from "../signature.ts";
import type { RecordingKeys } from "../wrapped-keys.ts";
import { diskCode } from "./disk.ts";
import type { Follower, GrowingRecording, ObjectStore } from "./door.ts";
import type { PipelineLog } from "./log.ts";
import type { Spool } from "./spool.ts";
import { corrupted, unavailable } from "./unavailable.ts";

/** Copied out of the frames' memory at once: nobody may hold that memory while a reader waits. */
const copyBytesMax = 256 * 1024;

export type RecordingSoFarOptions = {
  sessionId: string;
  /** Where the store has its objects. */
  prefix: string;
  keys: RecordingKeys;
  spool: Pick<Spool, "read">;
  store: Pick<ObjectStore, "read">;
  elapsedUs(): number;
  log: PipelineLog;
};

/**
 * A recording as it stands while it is written: what is not yet in the spool is still in memory, what is sealed is read and
 * opened with the key that it is being written with. So whoever looks on needs no key of their own, and neither does the gateway.
 */
export class RecordingSoFar implements GrowingRecording {
  readonly #options: RecordingSoFarOptions;
  readonly #followers = new Set<Follower>();
  readonly #segments: SegmentEntry[] = [];
  /** Committed and in no segment that could be read: always the newest, without a gap. */
  #unsealed: Frame[] = [];
  #frames = 0;
  #closed = false;

  constructor(options: RecordingSoFarOptions) {
    this.#options = options;
  }

  get frames(): number {
    return this.#frames;
  }
  get closed(): boolean {
    return this.#closed;
  }
  elapsedUs(): number {
    return this.#options.elapsedUs();
  }
  follow(follower: Follower): () => void {
    this.#followers.add(follower);
    return () => void this.#followers.delete(follower);
  }

  async *read(fromSeq: number): AsyncGenerator<Frame> {
    const end = this.#frames;
    let seq = fromSeq;
    while (seq < end) {
      const first = this.#unsealed[0];
      const piece = first && seq >= first.seq ? this.#copy(seq - first.seq, end) : this.#sealed(seq);
      let any = false;
      for await (const frame of piece) {
        if (frame.seq < seq) continue;
        if (frame.seq >= end) return;
        any = true;
        seq = frame.seq + 1;
        yield frame;
      }
      if (!any) throw corrupted("recording.read", `frame ${seq} is neither in memory nor in a segment`);
    }
  }

  /** These are durable now, and follow on those before. */
  committed(frames: readonly Frame[]): void {
    if (frames.length === 0) return;
    for (const frame of frames) this.#unsealed.push(frame);
    this.#frames += frames.length;
    this.#tell((follower) => follower.frames(frames));
  }
  /** The oldest of them are in this segment now, and their memory will be used again. */
  sealed(entry: SegmentEntry): void {
    this.#segments.push(entry);
    this.#unsealed.splice(0, entry.frames);
  }
  /** No frame will follow. */
  close(): void {
    this.#closed = true;
    this.#tell((follower) => follower.closed());
  }

  #copy(from: number, endSeq: number): Frame[] {
    const copies: Frame[] = [];
    let bytes = 0;
    for (let i = from; bytes < copyBytesMax; i++) {
      const frame = this.#unsealed[i];
      if (!frame || frame.seq >= endSeq) break;
      bytes += frame.data.length + 1;
      copies.push({ ...frame, data: Uint8Array.from(frame.data) });
    }
    return copies;
  }

  async *#sealed(seq: number): AsyncGenerator<Frame> {
    const entry = this.#segments.find(({ lastSeq }) => lastSeq >= seq);
    if (!entry) return;
    const keys = await importKeys(this.#options.keys);
    const opened = await openSegment(parseSegment(await this.#bytesOf(entry)), keys, nodeZstd);
    for (const frame of opened.frames()) if (frame.kind !== undefined) yield frame;
  }

  /** A segment leaves the spool only when the store has it. */
  async #bytesOf(entry: SegmentEntry): Promise<Uint8Array> {
    const { spool, store, sessionId, prefix } = this.#options;
    try {
      return await spool.read(sessionId, entry.name, entry.sha256);
    } catch (error) {
      if (diskCode(error) !== "ENOENT") throw error;
    }
    let bytes: Uint8Array;
    try {
      bytes = await store.read(`${prefix}/${entry.name}`, { start: 0, end: entry.bytes });
    } catch (cause) {
      throw unavailable(
        "recording.read",
        `the beginning of this recording cannot be read from the store now (${messageOf(cause)})`,
        undefined,
        cause,
      );
    }
    if (equalBytes(await sha256(bytes), fromHex(entry.sha256))) return bytes;
    throw corrupted("recording.read", `the store holds other bytes under ${prefix}/${entry.name}`);
  }

  #tell(say: (follower: Follower) => void): void {
    for (const follower of this.#followers)
      try {
        say(follower);
      } catch (error) {
        // Whoever looks on must not disturb what is looked at.
        this.#followers.delete(follower);
        this.#options.log.error("whoever followed a recording threw", { error: messageOf(error) });
      }
  }
}

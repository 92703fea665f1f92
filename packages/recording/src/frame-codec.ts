import { assert, ByteReader, checkLimit, putVarint, varintBytes } from "@gatehouse/kernel";
import { corrupt } from "./binary-fields.ts";
import { type Frame, type FrameKind, frameKinds, frameLimits, type Lane, laneOf } from "./frame.ts";

/** Where a run of frames starts counting: the first sequence and time of the record or segment that holds it. */
export type FrameBase = { readonly firstSeq: number; readonly firstTimeUs: number };

const kindOf = new Map<number, FrameKind>(
  Object.entries(frameKinds).map(([kind, code]) => [code, kind as FrameKind]),
);

/**
 * Encodes frames of one lane, in order: `kind u8, seq delta, time delta in µs, stream, length, data`, the numbers as
 * LEB128. Deltas are against the frame before in this run; the first one's are against `base`. Where it fits into `scratch`
 * the result lies there, for a caller who is done with it before the next call.
 */
export function encodeFrames(
  base: FrameBase,
  frames: readonly Frame[],
  scratch: Uint8Array = new Uint8Array(),
): Uint8Array {
  let seq = base.firstSeq;
  let timeUs = base.firstTimeUs;
  let length = 0;
  for (const frame of frames) {
    checkLimit("frame.encode", "a frame's bytes", frame.data.length, frameLimits.dataBytesMax);
    assert(
      frame.seq > seq || (length === 0 && frame.seq === seq),
      "frames are in the order of their sequence",
    );
    assert(frame.timeUs >= timeUs, "time never goes back");
    length +=
      1 +
      varintBytes(frame.seq - seq) +
      varintBytes(frame.timeUs - timeUs) +
      varintBytes(frame.stream) +
      varintBytes(frame.data.length) +
      frame.data.length;
    seq = frame.seq;
    timeUs = frame.timeUs;
  }
  const out = length <= scratch.length ? scratch.subarray(0, length) : new Uint8Array(length);
  seq = base.firstSeq;
  timeUs = base.firstTimeUs;
  let at = 0;
  for (const frame of frames) {
    out[at++] = frameKinds[frame.kind];
    at = putVarint(out, at, frame.seq - seq);
    at = putVarint(out, at, frame.timeUs - timeUs);
    at = putVarint(out, at, frame.stream);
    at = putVarint(out, at, frame.data.length);
    out.set(frame.data, at);
    at += frame.data.length;
    seq = frame.seq;
    timeUs = frame.timeUs;
  }
  return out;
}

/** A frame whose code this version does not know: its place is kept, so that a skipped frame is not taken for a lost one. */
export type UnknownFrame = Omit<Frame, "kind"> & { readonly kind: undefined; readonly code: number };

/**
 * Reads a run of frames one at a time, so that a million tiny frames never exist at once. `data` is a view of `bytes`.
 * Everything wrong throws `corrupt`: what is read here was authenticated, so only a broken writer can make it.
 */
export class FrameCursor {
  readonly #reader: ByteReader;
  readonly #lane: Lane;
  #seq: number;
  #timeUs: number;
  #first = true;

  constructor(bytes: Uint8Array, base: FrameBase, lane: Lane) {
    this.#reader = new ByteReader(bytes, "frame.decode");
    this.#seq = base.firstSeq;
    this.#timeUs = base.firstTimeUs;
    this.#lane = lane;
  }

  next(): Frame | UnknownFrame | undefined {
    const reader = this.#reader;
    if (reader.remaining === 0) return undefined;
    try {
      const code = reader.u8();
      const delta = reader.varint();
      if (delta === 0 && !this.#first) throw corrupt("frame.decode", `sequence ${this.#seq} stands twice`);
      const seq = this.#seq + delta;
      const timeUs = this.#timeUs + reader.varint();
      const stream = reader.varint();
      const length = reader.varint();
      checkLimit("frame.decode", "a frame's bytes", length, frameLimits.dataBytesMax);
      const data = reader.take(length);
      if (seq > Number.MAX_SAFE_INTEGER || timeUs > Number.MAX_SAFE_INTEGER)
        throw corrupt("frame.decode", "a sequence or time above 2^53-1");
      this.#first = false;
      this.#seq = seq;
      this.#timeUs = timeUs;
      const kind = kindOf.get(code);
      if (kind === undefined) return { seq, timeUs, kind, code, stream, data };
      if (laneOf(kind) !== this.#lane)
        throw corrupt("frame.decode", `a frame of kind ${kind} in the ${this.#lane} lane`);
      return { seq, timeUs, kind, stream, data };
    } catch (cause) {
      throw corrupt("frame.decode", `frame after sequence ${this.#seq}: ${(cause as Error).message}`, cause);
    }
  }
}

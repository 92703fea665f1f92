import { assert, ByteReader, ByteWriter, checkLimit } from "@gatehouse/kernel";
import { corrupt, safeU64 } from "./binary-fields.ts";
import { encodeFrames } from "./frame-codec.ts";
import { formatLimits } from "./format-limits.ts";
import type { Frame, Lane } from "./frame.ts";
import { type LaneSealer, nonceBytes, tagBytes } from "./lane-sealer.ts";
import { recordingIdBytes, recordingIdOf } from "./recording-id.ts";

/** `GHR1`: so that a journal that lost its place finds where a record may begin. */
const recordMagic = 0x47485231;
export const recordHeaderBytes = 74;
export const lanes = ["main", "input"] as const satisfies readonly Lane[];

/**
 * What the journal commits: some frames of one recording and one lane, encrypted before they touch a disk. The header
 * is plain, so that a gateway without any key can put the records of a crashed session in order and ship them as a
 * raw segment; it is the ciphertext's additional data, so it cannot be changed.
 */
export type RecordHeader = {
  readonly recordingId: string;
  readonly lane: Lane;
  readonly frames: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly firstTimeUs: number;
  readonly lastTimeUs: number;
  readonly nonce: Uint8Array;
  /** Of the whole record: header, ciphertext and tag. */
  readonly bytes: number;
};

/** Encrypts frames of one lane, in their order, into one record. Synchronous: a commit is waiting. */
export function encodeRecord(sealer: LaneSealer, frames: readonly Frame[]): Uint8Array {
  const first = frames[0];
  const last = frames.at(-1);
  assert(first && last, "a record holds at least one frame");
  const plain = encodeFrames({ firstSeq: first.seq, firstTimeUs: first.timeUs }, frames);
  checkLimit("record.encode", "a record's bytes", plain.length, formatLimits.laneBytesMax);
  checkLimit("record.encode", "a record's frames", frames.length, formatLimits.segmentFramesMax);
  const nonce = sealer.nextNonce();
  const out = new ByteWriter(recordHeaderBytes + plain.length + tagBytes)
    .u32(recordMagic)
    .u8(lanes.indexOf(sealer.lane))
    .u8(0)
    .put(recordingIdBytes(sealer.recordingId))
    .u32(frames.length)
    .u64(BigInt(first.seq))
    .u64(BigInt(last.seq))
    .u64(BigInt(first.timeUs))
    .u64(BigInt(last.timeUs))
    .u32(plain.length)
    .put(nonce);
  for (const part of sealer.encrypt(nonce, out.done(), plain)) out.put(part);
  return out.done();
}

/**
 * Reads the header of the record that begins at `at`. Throws `protocol` when the bytes end before the header does and
 * `corrupt` when it cannot be a record. Whether all of `bytes` is there is the caller's to see.
 */
export function readRecordHeader(bytes: Uint8Array, at = 0): RecordHeader {
  const op = "record.read";
  const reader = new ByteReader(bytes, op);
  reader.at = at;
  if (reader.u32() !== recordMagic) throw corrupt(op, `no record begins at byte ${at}`);
  const lane = lanes[reader.u8()];
  if (lane === undefined) throw corrupt(op, "no such lane");
  if (reader.u8() !== 0) throw corrupt(op, "a reserved byte is not 0");
  const recordingId = recordingIdOf(reader.take(16));
  const frames = reader.u32();
  const firstSeq = safeU64(reader, op);
  const lastSeq = safeU64(reader, op);
  const firstTimeUs = safeU64(reader, op);
  const lastTimeUs = safeU64(reader, op);
  const plainBytes = reader.u32();
  checkLimit(op, "a record's frames", frames, formatLimits.segmentFramesMax);
  checkLimit(op, "a record's bytes", plainBytes, formatLimits.laneBytesMax);
  if (frames === 0 || lastSeq - firstSeq < frames - 1 || lastTimeUs < firstTimeUs)
    throw corrupt(op, "its sequence, time and frame count contradict each other");
  const nonce = reader.take(nonceBytes);
  return {
    recordingId,
    lane,
    frames,
    firstSeq,
    lastSeq,
    firstTimeUs,
    lastTimeUs,
    nonce,
    bytes: recordHeaderBytes + plainBytes + tagBytes,
  };
}

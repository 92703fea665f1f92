import { assert, ByteReader, checkLimit, concatBytes } from "@gatehouse/kernel";
import { corrupt, safeU64 } from "./binary-fields.ts";
import { encodeFrames } from "./frame-codec.ts";
import { formatLimits } from "./format-limits.ts";
import type { Frame, Lane } from "./frame.ts";
import { type LaneSealer, nonceBytes, tagBytes } from "./lane-sealer.ts";
import { recordingIdOf } from "./recording-id.ts";

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
  return concatBytes(encodeRecordParts(sealer, frames));
}

/**
 * The same as header, ciphertext and tag, to be laid down in a row: the journal copies a record once, to where it is
 * written from. `scratch` is for the plain text, which is of no use afterwards.
 */
export function encodeRecordParts(
  sealer: LaneSealer,
  frames: readonly Frame[],
  scratch?: Uint8Array,
): readonly Uint8Array[] {
  const first = frames[0];
  const last = frames.at(-1);
  assert(first && last, "a record holds at least one frame");
  const plain = encodeFrames({ firstSeq: first.seq, firstTimeUs: first.timeUs }, frames, scratch);
  checkLimit("record.encode", "a record's bytes", plain.length, formatLimits.laneBytesMax);
  checkLimit("record.encode", "a record's frames", frames.length, formatLimits.segmentFramesMax);
  if (slabAt + recordHeaderBytes > slab.byteLength) {
    slab = new DataView(new ArrayBuffer(slabBytes));
    slabAt = 0;
  }
  const at = slabAt;
  slabAt += recordHeaderBytes;
  const header = new Uint8Array(slab.buffer, at, recordHeaderBytes);
  slab.setUint32(at, recordMagic);
  slab.setUint8(at + 4, lanes.indexOf(sealer.lane));
  header.set(sealer.recordingIdBytes, 6);
  slab.setUint32(at + 22, frames.length);
  setU64(slab, at + 26, first.seq);
  setU64(slab, at + 34, last.seq);
  setU64(slab, at + 42, first.timeUs);
  setU64(slab, at + 50, last.timeUs);
  slab.setUint32(at + 58, plain.length);
  const nonce = sealer.nextNonce(header.subarray(62));
  return [header, ...sealer.encrypt(nonce, header, plain)];
}

/** Headers lie behind each other in one piece of memory, because a piece for each costs more than to fill it. */
const slabBytes = 64 * recordHeaderBytes;
let slab = new DataView(new ArrayBuffer(slabBytes));
let slabAt = 0;

/** Two halves, because a BigInt for each number of each record is felt. */
function setU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, Math.floor(value / 0x1_0000_0000));
  view.setUint32(at + 4, value % 0x1_0000_0000);
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

import { ByteReader, ByteWriter, checkLimit, equalBytes } from "@gatehouse/kernel";
import { corrupt, safeU64 } from "./binary-fields.ts";
import { formatLimits } from "./format-limits.ts";
import type { Lane } from "./frame.ts";
import { nonceBytes, tagBytes } from "./lane-sealer.ts";
import { lanes } from "./record.ts";
import { recordingIdBytes, recordingIdOf } from "./recording-id.ts";

/** The first byte is not ASCII and the last two are CR LF, so that a transfer in text mode is seen at once. */
const segmentMagic = Uint8Array.of(0x89, 0x47, 0x48, 0x53, 0x45, 0x47, 0x0d, 0x0a);
const formatVersion = 1;

const segmentTypes = ["sealed", "raw"] as const;
export type SegmentType = (typeof segmentTypes)[number];
const codecs = ["stored", "zstd"] as const;
type Codec = (typeof codecs)[number];

export type SegmentHeader = {
  readonly type: SegmentType;
  readonly recordingId: string;
  readonly n: number;
  /** SHA-256 of the whole segment before; 32 zero bytes in segment 0. */
  readonly previousSha256: Uint8Array;
  readonly frames: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly firstTimeUs: number;
  readonly lastTimeUs: number;
  /** Canonical JSON `{ facts, keys }` in segment 0, empty in all others. */
  readonly opening: Uint8Array;
};

/** One lane of a sealed segment. */
export type BlockHeader = {
  readonly lane: Lane;
  readonly codec: Codec;
  readonly frames: number;
  readonly plainBytes: number;
  /** After compression; the ciphertext is as long, the tag follows it. */
  readonly storedBytes: number;
  readonly nonce: Uint8Array;
};

function writeHeader(header: SegmentHeader): ByteWriter {
  return new ByteWriter(256 + header.opening.length)
    .put(segmentMagic)
    .u16(formatVersion)
    .u8(segmentTypes.indexOf(header.type))
    .u8(0)
    .put(recordingIdBytes(header.recordingId))
    .u32(header.n)
    .put(header.previousSha256)
    .u32(header.frames)
    .u64(BigInt(header.firstSeq))
    .u64(BigInt(header.lastSeq))
    .u64(BigInt(header.firstTimeUs))
    .u64(BigInt(header.lastTimeUs))
    .u32(header.opening.length)
    .put(header.opening);
}

/** The head of a sealed segment: all of it is the additional data of every block. */
export function encodeSealedHead(header: SegmentHeader, blocks: readonly BlockHeader[]): Uint8Array {
  const out = writeHeader(header).u8(blocks.length);
  for (const block of blocks)
    out
      .u8(lanes.indexOf(block.lane))
      .u8(codecs.indexOf(block.codec))
      .u32(block.frames)
      .u32(block.plainBytes)
      .u32(block.storedBytes)
      .put(block.nonce);
  return out.done();
}

export function encodeRawHead(header: SegmentHeader, records: number, recordsBytes: number): Uint8Array {
  return writeHeader(header).u32(records).u32(recordsBytes).done();
}

/** A segment taken apart, nothing decrypted; all bytes are views of the object's. */
export type SegmentParts = {
  readonly header: SegmentHeader;
  /** The additional data of a sealed segment's blocks. */
  readonly head: Uint8Array;
  readonly body:
    | {
        readonly type: "sealed";
        readonly blocks: readonly { readonly block: BlockHeader; readonly sealed: Uint8Array }[];
      }
    | { readonly type: "raw"; readonly records: number; readonly bytes: Uint8Array };
  /** Everything before the signature, the signer included: its SHA-256 is what is signed. */
  readonly signedBytes: Uint8Array;
  readonly signature: { readonly publicKey: Uint8Array; readonly bytes: Uint8Array } | undefined;
};

const op = "segment.read";

/** Throws `protocol` where the bytes end too early, `corrupt` where they contradict themselves, `too_large` for a limit. */
export function parseSegment(bytes: Uint8Array): SegmentParts {
  checkLimit(op, "a segment's bytes", bytes.length, formatLimits.segmentBytesMax);
  const reader = new ByteReader(bytes, op);
  const header = readSegmentHeader(reader);
  const body = header.type === "sealed" ? readBlocks(reader, header) : readRawBody(reader);
  const head = bytes.subarray(0, body.headEnd);
  const signatureKind = reader.u8();
  if (signatureKind > 1) throw corrupt(op, `signature kind ${signatureKind} is unknown`);
  const publicKey = signatureKind === 1 ? reader.take(32) : undefined;
  const signedBytes = bytes.subarray(0, reader.at);
  const signature = publicKey && { publicKey, bytes: reader.take(64) };
  if (reader.remaining !== 0) throw corrupt(op, `${reader.remaining} bytes follow the segment's end`);
  return { header, head, body: body.body, signedBytes, signature };
}

function readSegmentHeader(reader: ByteReader): SegmentHeader {
  if (!equalBytes(reader.take(segmentMagic.length), segmentMagic)) throw corrupt(op, "not a segment");
  const version = reader.u16();
  if (version !== formatVersion) throw corrupt(op, `format version ${version}, and this reader knows 1`);
  const type = segmentTypes[reader.u8()];
  if (type === undefined) throw corrupt(op, "an unknown type of segment");
  if (reader.u8() !== 0) throw corrupt(op, "a reserved byte is not 0");
  const recordingId = recordingIdOf(reader.take(16));
  const n = reader.u32();
  const previousSha256 = reader.take(32);
  const frames = reader.u32();
  const firstSeq = safeU64(reader, op);
  const lastSeq = safeU64(reader, op);
  const firstTimeUs = safeU64(reader, op);
  const lastTimeUs = safeU64(reader, op);
  const openingBytes = reader.u32();
  checkLimit(op, "the opening's bytes", openingBytes, formatLimits.openingBytesMax);
  checkLimit(op, "a segment's frames", frames, formatLimits.segmentFramesMax);
  if ((n === 0) !== openingBytes > 0) throw corrupt(op, "an opening belongs in segment 0 and only there");
  if (frames === 0 || lastSeq - firstSeq < frames - 1 || lastTimeUs < firstTimeUs)
    throw corrupt(op, "its sequence, time and frame count contradict each other");
  const opening = reader.take(openingBytes);
  return {
    type,
    recordingId,
    n,
    previousSha256,
    frames,
    firstSeq,
    lastSeq,
    firstTimeUs,
    lastTimeUs,
    opening,
  };
}

function readBlocks(
  reader: ByteReader,
  header: SegmentHeader,
): { headEnd: number; body: SegmentParts["body"] } {
  const count = reader.u8();
  if (count < 1 || count > lanes.length) throw corrupt(op, `${count} blocks`);
  const heads: BlockHeader[] = [];
  let frames = 0;
  for (let i = 0; i < count; i++) {
    const lane = lanes[reader.u8()];
    const codec = codecs[reader.u8()];
    if (lane === undefined || codec === undefined) throw corrupt(op, "an unknown lane or codec");
    if (heads.some((block) => block.lane === lane)) throw corrupt(op, `the ${lane} lane stands twice`);
    const block: BlockHeader = {
      lane,
      codec,
      frames: reader.u32(),
      plainBytes: reader.u32(),
      storedBytes: reader.u32(),
      nonce: reader.take(nonceBytes),
    };
    checkLimit(op, "a lane's bytes", block.plainBytes, formatLimits.laneBytesMax);
    checkLimit(op, "a lane's stored bytes", block.storedBytes, formatLimits.laneBytesMax);
    if (codec === "stored" && block.storedBytes !== block.plainBytes)
      throw corrupt(op, "a stored block with two lengths");
    frames += block.frames;
    heads.push(block);
  }
  if (frames !== header.frames) throw corrupt(op, "the blocks' frame counts do not add up");
  const headEnd = reader.at;
  const blocks = heads.map((block) => ({ block, sealed: reader.take(block.storedBytes + tagBytes) }));
  return { headEnd, body: { type: "sealed", blocks } };
}

function readRawBody(reader: ByteReader): { headEnd: number; body: SegmentParts["body"] } {
  const records = reader.u32();
  const bytes = reader.u32();
  checkLimit(op, "a segment's records", records, formatLimits.recordsMax);
  checkLimit(op, "the records' bytes", bytes, formatLimits.segmentBytesMax);
  const headEnd = reader.at;
  return { headEnd, body: { type: "raw", records, bytes: reader.take(bytes) } };
}

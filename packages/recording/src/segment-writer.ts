import { assert, checkLimit, concatBytes, toHex } from "@gatehouse/kernel";
import { formatLimits } from "./format-limits.ts";
import { encodeFrames } from "./frame-codec.ts";
import { type Frame, type Lane, laneOf } from "./frame.ts";
import type { LaneSealer } from "./lane-sealer.ts";
import { type SegmentEntry, segmentName } from "./manifest.ts";
import { encodeOpening, type Opening } from "./opening.ts";
import { lanes, readRecordHeader } from "./record.ts";
import type { RecordingSigner, SealCrypto } from "./seal-crypto.ts";
import { type BlockHeader, encodeRawHead, encodeSealedHead, type SegmentHeader } from "./segment-layout.ts";
import { signAs } from "./signature.ts";

/** Where a segment stands in its recording. Segment 0 has the opening and no previous. */
export type SegmentPlace = { readonly recordingId: string } & (
  | { readonly n: 0; readonly opening: Opening }
  | { readonly n: number; readonly previousSha256: Uint8Array }
);
/** The object to store, and its line in the manifest. `sha256` is the next segment's `previousSha256`. */
export type BuiltSegment = {
  readonly bytes: Uint8Array;
  readonly sha256: Uint8Array;
  readonly entry: SegmentEntry;
};

/**
 * Seals frames (all of them since the segment before, in order of sequence, both lanes mixed) into one object: each
 * lane compressed unless that gains nothing, encrypted, and the whole signed. `scratch` is for the plain text of the larger
 * lane, and must be left alone until this has settled.
 */
export async function sealSegment(fields: {
  place: SegmentPlace;
  frames: readonly Frame[];
  sealers: Readonly<Record<Lane, LaneSealer>>;
  signer: RecordingSigner;
  crypto: SealCrypto;
  scratch?: Uint8Array;
}): Promise<BuiltSegment> {
  const { place, frames, sealers, crypto, scratch } = fields;
  const first = frames[0];
  const last = frames.at(-1);
  assert(first && last, "a segment holds at least one frame");
  checkLimit("segment.seal", "a segment's frames", frames.length, formatLimits.segmentFramesMax);
  const base = { firstSeq: first.seq, firstTimeUs: first.timeUs };
  const header: SegmentHeader = {
    ...headOf(place),
    ...base,
    type: "sealed",
    frames: frames.length,
    lastSeq: last.seq,
    lastTimeUs: last.timeUs,
  };
  const blocks: BlockHeader[] = [];
  const packed: Uint8Array[] = [];
  for (const lane of lanes) {
    const own = frames.filter((frame) => laneOf(frame.kind) === lane);
    if (own.length === 0) continue;
    assert(sealers[lane].lane === lane, "each lane has its own sealer");
    const plain = encodeFrames(base, own, blocks.length === 0 ? scratch : undefined);
    checkLimit("segment.seal", "a lane's bytes", plain.length, formatLimits.laneBytesMax);
    const { codec, bytes } = await pack(plain, crypto);
    blocks.push({
      lane,
      codec,
      frames: own.length,
      plainBytes: plain.length,
      storedBytes: bytes.length,
      nonce: sealers[lane].nextNonce(),
    });
    packed.push(bytes);
  }
  const head = encodeSealedHead(header, blocks);
  const sealed = blocks.flatMap((block, i) =>
    sealers[block.lane].encrypt(block.nonce, head, packed[i] as Uint8Array),
  );
  return sign(header, [head, ...sealed], fields);
}

/**
 * Makes a segment of journal records as they are, for a recording whose process died: nothing is opened and nothing
 * encrypted, so it takes no key. `records` are whole, of one recording, in the order they were committed.
 */
export async function buildRawSegment(fields: {
  place: SegmentPlace;
  records: readonly Uint8Array[];
  signer: RecordingSigner;
  crypto: Pick<SealCrypto, "hasher">;
}): Promise<BuiltSegment> {
  const { place, records } = fields;
  assert(records.length > 0, "a segment holds at least one record");
  let frames = 0;
  let bytes = 0;
  let firstSeq = Number.MAX_SAFE_INTEGER;
  let firstTimeUs = Number.MAX_SAFE_INTEGER;
  let lastSeq = 0;
  let lastTimeUs = 0;
  for (const record of records) {
    const header = readRecordHeader(record);
    assert(header.bytes === record.length, "a record is whole");
    assert(header.recordingId === place.recordingId, "a record is of this recording");
    frames += header.frames;
    bytes += record.length;
    firstSeq = Math.min(firstSeq, header.firstSeq);
    lastSeq = Math.max(lastSeq, header.lastSeq);
    firstTimeUs = Math.min(firstTimeUs, header.firstTimeUs);
    lastTimeUs = Math.max(lastTimeUs, header.lastTimeUs);
  }
  checkLimit("segment.raw", "a segment's frames", frames, formatLimits.segmentFramesMax);
  const header: SegmentHeader = {
    ...headOf(place),
    type: "raw",
    frames,
    firstSeq,
    lastSeq,
    firstTimeUs,
    lastTimeUs,
  };
  return sign(header, [encodeRawHead(header, records.length, bytes), ...records], fields);
}

function headOf(
  place: SegmentPlace,
): Pick<SegmentHeader, "recordingId" | "n" | "previousSha256" | "opening"> {
  const { recordingId, n } = place;
  if ("opening" in place)
    return { recordingId, n, previousSha256: new Uint8Array(32), opening: encodeOpening(place.opening) };
  assert(n > 0 && place.previousSha256.length === 32, "a segment after the first names the one before");
  return { recordingId, n, previousSha256: place.previousSha256, opening: new Uint8Array() };
}

/** How much of a large block is tried first, and how much it must shrink for the whole to be worth compressing. */
const probeBytes = 8 * 1024;
const worthwhile = 0.95;

async function pack(
  plain: Uint8Array,
  crypto: Pick<SealCrypto, "compress">,
): Promise<{ codec: "stored" | "zstd"; bytes: Uint8Array }> {
  // Media and archives do not shrink, and finding out on all of it costs more than recording it.
  if (plain.length > 8 * probeBytes) {
    const middle = Math.floor((plain.length - probeBytes) / 2);
    const tried = await crypto.compress(plain.subarray(middle, middle + probeBytes));
    if (tried.length > probeBytes * worthwhile) return { codec: "stored", bytes: plain };
  }
  const bytes = await crypto.compress(plain);
  return bytes.length < plain.length * worthwhile
    ? { codec: "zstd", bytes }
    : { codec: "stored", bytes: plain };
}

async function sign(
  header: SegmentHeader,
  parts: readonly Uint8Array[],
  fields: { signer: RecordingSigner; crypto: Pick<SealCrypto, "hasher"> },
): Promise<BuiltSegment> {
  const { signer, crypto } = fields;
  const signed = [...parts, Uint8Array.of(1), signer.publicKey];
  const hasher = crypto.hasher();
  for (const part of signed) hasher.update(part);
  const signature = await signAs("segment", signer, hasher.digest());
  const bytes = concatBytes([...signed, signature]);
  checkLimit("segment.seal", "a segment's bytes", bytes.length, formatLimits.segmentBytesMax);
  hasher.update(signature);
  const sha256 = hasher.digest();
  const { n, type, frames, firstSeq, lastSeq, firstTimeUs, lastTimeUs } = header;
  return {
    bytes,
    sha256,
    entry: {
      n,
      name: segmentName(n),
      bytes: bytes.length,
      sha256: toHex(sha256),
      type,
      frames,
      firstSeq,
      lastSeq,
      firstTimeUs,
      lastTimeUs,
    },
  };
}

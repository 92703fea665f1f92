import { corrupt } from "./binary-fields.ts";
import { FrameCursor, type FrameBase, type UnknownFrame } from "./frame-codec.ts";
import type { Frame, Lane } from "./frame.ts";
import { lanes, readRecordHeader, type RecordHeader, recordHeaderBytes } from "./record.ts";
import type { SegmentParts } from "./segment-layout.ts";
import type { RecordingKeys } from "./wrapped-keys.ts";
import { decompressBlock, type Zstd } from "./zstd.ts";

/** The keys of the lanes that may be opened, ready for WebCrypto. */
export type OpenKeys = Readonly<Partial<Record<Lane, CryptoKey>>>;

export async function importKeys(keys: Partial<RecordingKeys>): Promise<OpenKeys> {
  const imported: { -readonly [L in Lane]?: CryptoKey } = {};
  for (const lane of lanes) {
    const key = keys[lane];
    if (key)
      imported[lane] = await crypto.subtle.importKey("raw", key as BufferSource, "AES-GCM", false, [
        "decrypt",
      ]);
  }
  return imported;
}

/** A segment whose lanes are decrypted, as far as there were keys. */
export type OpenedSegment = {
  /** Frames of all opened lanes in order of sequence. Throws `corrupt` where the encoding is broken. */
  frames(): Generator<Frame | UnknownFrame>;
  /** Lanes that have frames here and no key. */
  readonly withheld: readonly Lane[];
};

type Run = { readonly base: FrameBase; readonly plain: Uint8Array; readonly frames: number };

/** Sealed and raw give the same frames. Throws `corrupt` where a tag does not match. */
export async function openSegment(parts: SegmentParts, keys: OpenKeys, zstd: Zstd): Promise<OpenedSegment> {
  const runs: Record<Lane, Run[]> = { main: [], input: [] };
  const withheld = new Set<Lane>();
  if (parts.body.type === "sealed") {
    for (const { block, sealed } of parts.body.blocks) {
      const key = keys[block.lane];
      if (!key) {
        withheld.add(block.lane);
        continue;
      }
      const packed = await decrypt(key, block.nonce, parts.head, sealed, `the ${block.lane} lane`);
      const plain = block.codec === "zstd" ? decompressBlock(zstd, packed, block.plainBytes) : packed;
      runs[block.lane].push({ base: parts.header, plain, frames: block.frames });
    }
  } else {
    for (const { header, record } of recordsOf(parts)) {
      const key = keys[header.lane];
      if (!key) {
        withheld.add(header.lane);
        continue;
      }
      const aad = record.subarray(0, recordHeaderBytes);
      const what = `the record of sequence ${header.firstSeq}`;
      const plain = await decrypt(key, header.nonce, aad, record.subarray(recordHeaderBytes), what);
      runs[header.lane].push({ base: header, plain, frames: header.frames });
    }
  }
  return { frames: () => mergeLanes(runs), withheld: [...withheld] };
}

/**
 * The records of a raw segment, their plain headers checked: of this recording, each lane in order, their counts and
 * bounds the segment's. Throws `corrupt`.
 */
export function* recordsOf(parts: SegmentParts): Generator<{ header: RecordHeader; record: Uint8Array }> {
  const op = "segment.records";
  if (parts.body.type !== "raw") return;
  const { bytes, records } = parts.body;
  const { recordingId, firstSeq, lastSeq } = parts.header;
  const lastOf: Record<Lane, number> = { main: -1, input: -1 };
  let at = 0;
  let count = 0;
  let frames = 0;
  while (at < bytes.length) {
    const header = readRecordHeader(bytes, at);
    if (at + header.bytes > bytes.length) throw corrupt(op, "the last record is cut short");
    if (header.recordingId !== recordingId) throw corrupt(op, "a record of another recording");
    if (header.firstSeq < firstSeq || header.lastSeq > lastSeq || header.firstSeq <= lastOf[header.lane])
      throw corrupt(op, `the record of sequence ${header.firstSeq} is out of order`);
    lastOf[header.lane] = header.lastSeq;
    yield { header, record: bytes.subarray(at, at + header.bytes) };
    at += header.bytes;
    count++;
    frames += header.frames;
  }
  if (count !== records || frames !== parts.header.frames)
    throw corrupt(op, "the records are not as many as the segment says");
}

async function decrypt(
  key: CryptoKey,
  nonce: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
  what: string,
): Promise<Uint8Array> {
  const algorithm = { name: "AES-GCM", iv: nonce as BufferSource, additionalData: aad as BufferSource };
  try {
    return new Uint8Array(await crypto.subtle.decrypt(algorithm, key, sealed as BufferSource));
  } catch (cause) {
    throw corrupt("segment.decrypt", `${what} does not decrypt: altered, or another key`, cause);
  }
}

/** The frames of one lane, run after run, each run holding exactly the frames it says. */
function* framesOfLane(lane: Lane, runs: readonly Run[]): Generator<Frame | UnknownFrame> {
  for (const run of runs) {
    const cursor = new FrameCursor(run.plain, run.base, lane);
    let count = 0;
    for (let frame = cursor.next(); frame; frame = cursor.next()) {
      count++;
      yield frame;
    }
    if (count !== run.frames)
      throw corrupt("segment.frames", `${count} frames where the header says ${run.frames}`);
  }
}

function* mergeLanes(runs: Record<Lane, Run[]>): Generator<Frame | UnknownFrame> {
  const main = framesOfLane("main", runs.main);
  const input = framesOfLane("input", runs.input);
  let a = main.next();
  let b = input.next();
  while (!a.done || !b.done) {
    if (b.done || (!a.done && a.value.seq < b.value.seq)) {
      yield (a as IteratorYieldResult<Frame | UnknownFrame>).value;
      a = main.next();
    } else {
      yield b.value;
      b = input.next();
    }
  }
}

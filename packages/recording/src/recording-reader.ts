import { GatehouseError, isGatehouseError, toHex } from "@gatehouse/kernel";
import { corrupt } from "./binary-fields.ts";
import { deriveKey } from "./derive-key.ts";
import { formatLimits } from "./format-limits.ts";
import type { Frame, FrameKind, Lane, SessionFacts } from "./frame.ts";
import {
  breakOf,
  type Manifest,
  manifestName,
  manifestSignature,
  parseManifest,
  segmentName,
} from "./manifest.ts";
import { decodeOpening } from "./opening.ts";
import { importKeys, type OpenKeys, openSegment } from "./segment-opener.ts";
import { parseSegment, type SegmentParts } from "./segment-layout.ts";
import { sha256, type SignatureVerdict } from "./signature.ts";
import type { RecordingSource } from "./source.ts";
import { wrappedKeysOf } from "./rewrapped-keys.ts";
import { type KeyOpener, type RecordingKeys, unwrapKeys, type WrappedKeys } from "./wrapped-keys.ts";
import { lanes } from "./record.ts";
import type { Zstd } from "./zstd.ts";

export type FrameFilter = {
  /** Frames from this moment on, inclusive. Segments that end before it are not read, given a manifest. */
  fromTimeUs?: number;
  /** Frames up to this moment, inclusive. */
  toTimeUs?: number;
  kinds?: readonly FrameKind[];
  streams?: readonly number[];
};

/** An open recording. It holds keys and no segment: memory is one segment while `frames` runs. */
export type Recording = {
  readonly facts: SessionFacts;
  /** Absent while the recording is live, and when its process died and nobody has closed it yet. */
  readonly manifest: Manifest | undefined;
  /** Of the manifest. Opening does not refuse what does not verify: whether to trust it is `verifyRecording`'s to say. */
  readonly signature: SignatureVerdict | undefined;
  /** Lanes that none of the openers opens: their frames are left out. */
  readonly withheld: readonly Lane[];
  /** Whom it is wrapped for now: of the newest keys beside the manifest, or its own. */
  readonly wrapped: WrappedKeys;
  /** What the openers opened. For another thread, or to be wrapped again; it leaves this process in no other way. */
  readonly dataKeys: Partial<RecordingKeys>;
  /**
   * The frames in order. Without a manifest: of the segments present now, up to the first that is missing. Throws `corrupt`
   * where a segment is not the one the manifest lists, is of another recording, or does not decrypt.
   */
  frames(filter?: FrameFilter): AsyncGenerator<Frame>;
  /**
   * 32 bytes from the main lane's key, for one purpose and salt. What is derived of a recording is encrypted with them, and so
   * opens for whoever the recording opens for. Rejects with `denied` where the main lane is withheld.
   */
  deriveKey(purpose: string, salt: Uint8Array): Promise<Uint8Array>;
  /** The segments that hold this span, for an index or a seek bar; without a manifest, undefined. */
  segmentsIn(filter: Pick<FrameFilter, "fromTimeUs" | "toTimeUs">): Manifest["segments"] | undefined;
};

/** Opens a recording wherever it lies. Rejects with `not_found` when there is neither manifest nor first segment. */
export async function openRecording(fields: {
  source: RecordingSource;
  openers: readonly KeyOpener[];
  zstd: Zstd;
  /** Whose keys wrapped again count, besides the manifest's own signer. */
  trustedKeys?: readonly Uint8Array[];
}): Promise<Recording> {
  const { source, openers, zstd, trustedKeys = [] } = fields;
  const manifest = await readManifest(source);
  const opening: { facts: SessionFacts; keys: WrappedKeys } = manifest ?? (await readOpening(source));
  const recordingId = opening.facts.sessionId;
  let wrapped = opening.keys;
  let unwrapped: Partial<RecordingKeys> = {};
  // Who opens nothing needs no look at the keys.
  if (openers.length > 0) {
    const candidates = manifest ? wrappedKeysOf({ source, manifest, trustedKeys }) : [opening.keys];
    const first = noting(candidates, (newest) => (wrapped = newest));
    unwrapped = await unwrapKeys(recordingId, first, openers);
  }
  const keys = await importKeys(unwrapped);
  return {
    facts: opening.facts,
    manifest,
    signature: manifest && (await manifestSignature(manifest)),
    withheld: lanes.filter((lane) => !keys[lane]),
    wrapped,
    dataKeys: unwrapped,
    async deriveKey(purpose, salt) {
      if (unwrapped.main) return await deriveKey(unwrapped.main, purpose, salt);
      throw new GatehouseError({
        code: "denied",
        op: "recording.derive",
        message: "no key that was given opens what this recording showed",
      });
    },
    segmentsIn: (filter) => manifest?.segments.filter((segment) => overlaps(segment, filter)),
    frames: (filter = {}) => framesIn({ source, manifest, recordingId, keys, zstd }, filter),
  };
}

async function* noting<T>(all: Iterable<T> | AsyncIterable<T>, note: (first: T) => void): AsyncGenerator<T> {
  let isFirst = true;
  for await (const one of all) {
    if (isFirst) note(one);
    isFirst = false;
    yield one;
  }
}

async function readManifest(source: RecordingSource): Promise<Manifest | undefined> {
  try {
    return parseManifest(await source.read(manifestName, formatLimits.manifestBytesMax));
  } catch (error) {
    if (isGatehouseError(error, "not_found")) return undefined;
    throw error;
  }
}

async function readOpening(source: RecordingSource) {
  const first = parseSegment(await source.read(segmentName(0), formatLimits.segmentBytesMax));
  const opening = decodeOpening(first.header.opening);
  if (opening.facts.sessionId !== first.header.recordingId)
    throw corrupt("recording.open", "segment 0 opens another recording than its own");
  return opening;
}

type Place = {
  source: RecordingSource;
  manifest: Manifest | undefined;
  recordingId: string;
  keys: OpenKeys;
  zstd: Zstd;
};

async function* framesIn(place: Place, filter: FrameFilter): AsyncGenerator<Frame> {
  const kinds = filter.kinds && new Set(filter.kinds);
  const streams = filter.streams && new Set(filter.streams);
  const from = filter.fromTimeUs ?? 0;
  const to = filter.toTimeUs ?? Number.POSITIVE_INFINITY;
  for await (const parts of segmentsOf(place, filter)) {
    const opened = await openSegment(parts, place.keys, place.zstd);
    for (const frame of opened.frames()) {
      if (frame.timeUs > to) return;
      if (frame.kind === undefined || frame.timeUs < from) continue;
      if ((kinds && !kinds.has(frame.kind)) || (streams && !streams.has(frame.stream))) continue;
      yield frame;
    }
  }
}

async function* segmentsOf(place: Place, filter: FrameFilter): AsyncGenerator<SegmentParts> {
  const { source, manifest, recordingId } = place;
  const own = (parts: SegmentParts, n: number) => {
    if (parts.header.recordingId !== recordingId || parts.header.n !== n)
      throw corrupt("recording.read", `${segmentName(n)} is not segment ${n} of this recording`);
    return parts;
  };
  if (manifest) {
    for (const entry of manifest.segments) {
      if (!overlaps(entry, filter)) continue;
      const bytes = await readOrBreak(source, manifest, entry);
      if (!bytes) continue;
      if (toHex(await sha256(bytes)) !== entry.sha256)
        throw corrupt("recording.read", `${entry.name} is not the object that the manifest lists`);
      yield own(parseSegment(bytes), entry.n);
    }
    return;
  }
  const present = new Set(await source.list());
  for (let n = 0; present.has(segmentName(n)); n++) {
    const parts = own(parseSegment(await source.read(segmentName(n), formatLimits.segmentBytesMax)), n);
    if (overlaps(parts.header, filter)) yield parts;
  }
}

/** Nothing for a segment that is absent and of which the gateway has stated that it is lost. */
async function readOrBreak(
  source: RecordingSource,
  manifest: Manifest,
  { name, firstSeq, lastSeq }: Manifest["segments"][number],
): Promise<Uint8Array | undefined> {
  try {
    return await source.read(name, formatLimits.segmentBytesMax);
  } catch (error) {
    if (isGatehouseError(error, "not_found") && breakOf(manifest, firstSeq, lastSeq)) return undefined;
    throw error;
  }
}

function overlaps(span: { firstTimeUs: number; lastTimeUs: number }, filter: FrameFilter): boolean {
  return (
    span.lastTimeUs >= (filter.fromTimeUs ?? 0) &&
    span.firstTimeUs <= (filter.toTimeUs ?? Number.POSITIVE_INFINITY)
  );
}

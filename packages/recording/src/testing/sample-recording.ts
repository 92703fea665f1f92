import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { seededRandom, utf8 } from "@gatehouse/kernel";
import { type Frame, type Lane, laneOf, type SessionFacts } from "../frame.ts";
import { LaneSealer } from "../lane-sealer.ts";
import { type Manifest, type ManifestContent, manifestName, signManifest } from "../manifest.ts";
import { nodeSealCrypto, nodeSignerFromSeed } from "../node/mod.ts";
import { encodeRecord, lanes } from "../record.ts";
import type { RecordingSigner, SealCrypto } from "../seal-crypto.ts";
import { type BuiltSegment, buildRawSegment, sealSegment, type SegmentPlace } from "../segment-writer.ts";
import { encodeSessionEnd, encodeSessionStart } from "../tracks/session-payloads.ts";
import { ageOpener, ageWrapper, type KeyOpener, type RecordingKeys, wrapKeys } from "../wrapped-keys.ts";
import { facts as anyFacts } from "./facts.ts";

/** Node's crypto with randomness that a test can have again. */
export function seededCrypto(seed: number): SealCrypto {
  const random = seededRandom(seed);
  return { ...nodeSealCrypto, random: (length) => random.bytes(length) };
}

export type Sample = {
  facts: SessionFacts;
  frames: readonly Frame[];
  /** Every object by name, the manifest among them. */
  objects: Map<string, Uint8Array>;
  segments: readonly BuiltSegment[];
  manifest: Manifest;
  keys: RecordingKeys;
  signer: RecordingSigner;
  opener: KeyOpener;
  /** What `opener` opens with, as text: `AGE-SECRET-KEY-1…`. */
  identity: string;
  /** Opens the main lane alone. */
  mainOpener: KeyOpener;
};

const identities = {
  both: await generateX25519Identity(),
  main: await generateX25519Identity(),
};
const recipients = {
  both: await identityToRecipient(identities.both),
  main: await identityToRecipient(identities.main),
};

/** A session of one person typing, cut into segments of `perSegment` frames; `raw` says which are raw. */
export async function sampleRecording(options: {
  seed: number;
  frames?: readonly Frame[];
  perSegment?: number;
  raw?: (n: number) => boolean;
  state?: Manifest["state"];
  sessionId?: string;
  signerSeed?: number;
  content?: Partial<ManifestContent>;
}): Promise<Sample> {
  const crypto = seededCrypto(options.seed);
  const facts = options.sessionId ? { ...anyFacts, sessionId: options.sessionId } : anyFacts;
  const recordingId = facts.sessionId;
  const signer = nodeSignerFromSeed(seededRandom(options.signerSeed ?? 7).bytes(32));
  const keys = { main: crypto.random(32), input: crypto.random(32) };
  const sealers = sealersOf(recordingId, keys, crypto);
  const wrapped = await wrapKeys(recordingId, keys, {
    main: [ageWrapper([recipients.both, recipients.main])],
    input: [ageWrapper([recipients.both])],
  });
  const frames = options.frames ?? sampleFrames(facts, 10);
  const segments: BuiltSegment[] = [];
  const per = options.perSegment ?? 4;
  for (let n = 0; n * per < frames.length; n++) {
    const previous = segments.at(-1)?.sha256;
    const place: SegmentPlace =
      previous === undefined
        ? { recordingId, n: 0, opening: { facts, keys: wrapped } }
        : { recordingId, n, previousSha256: previous };
    const own = frames.slice(n * per, (n + 1) * per);
    segments.push(
      options.raw?.(n)
        ? await buildRawSegment({ place, records: recordsOfFrames(sealers, own), signer, crypto })
        : await sealSegment({ place, frames: own, sealers, signer, crypto }),
    );
  }
  const { manifest, bytes } = await signManifest(
    {
      facts,
      state: options.state ?? "complete",
      end: {
        reason: "client",
        at: "2026-02-10T14:31:00.000Z",
        lastTimeUs: frames.at(-1)?.timeUs ?? 0,
      },
      keys: wrapped,
      segments: segments.map((segment) => segment.entry),
      ...options.content,
    },
    signer,
  );
  const objects = new Map(segments.map((segment) => [segment.entry.name, segment.bytes]));
  objects.set(manifestName, bytes);
  return {
    facts,
    frames,
    objects,
    segments,
    manifest,
    keys,
    signer,
    opener: ageOpener([identities.both]),
    identity: identities.both,
    mainOpener: ageOpener([identities.main]),
  };
}

export function sealersOf(
  recordingId: string,
  keys: RecordingKeys,
  crypto: SealCrypto,
): Record<Lane, LaneSealer> {
  const sealer = (lane: Lane) => new LaneSealer({ recordingId, lane, key: keys[lane], crypto });
  return { main: sealer("main"), input: sealer("input") };
}

/** Records as a journal makes them: a few frames of one lane each. */
export function recordsOfFrames(sealers: Record<Lane, LaneSealer>, frames: readonly Frame[]): Uint8Array[] {
  const records: Uint8Array[] = [];
  for (let at = 0; at < frames.length; at += 3)
    for (const lane of lanes) {
      const group = frames.slice(at, at + 3).filter((frame) => laneOf(frame.kind) === lane);
      if (group.length > 0) records.push(encodeRecord(sealers[lane], group));
    }
  return records;
}

/** `session.start`, `exchanges` keys each with its echo, `session.end`. */
export function sampleFrames(facts: SessionFacts, exchanges: number): Frame[] {
  const frames: Frame[] = [];
  const add = (kind: Frame["kind"], data: Uint8Array) =>
    frames.push({ seq: frames.length, timeUs: frames.length * 1_500, kind, stream: 0, data });
  add("session.start", encodeSessionStart(facts));
  for (let i = 0; i < exchanges; i++) {
    const key = utf8(String.fromCharCode(97 + (i % 26)));
    add("input", key);
    add("output", key);
  }
  add("session.end", encodeSessionEnd({ reason: "client" }));
  return frames;
}

/** Frames as plain values, since a Buffer and a Uint8Array of the same bytes are not deeply equal. */
export function plain(frames: Iterable<Frame>): unknown[] {
  return Array.from(frames, (frame) => ({ ...frame, data: [...frame.data] }));
}

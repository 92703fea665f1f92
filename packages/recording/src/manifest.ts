import { assert, equalBytes, fromBase64, GatehouseError, toBase64 } from "@gatehouse/kernel";
import { canonicalBytes } from "./canonical-json.ts";
import { formatLimits } from "./format-limits.ts";
import type { SessionFacts } from "./frame.ts";
import type { RecordingSigner } from "./seal-crypto.ts";
import type { SegmentType } from "./segment-layout.ts";
import { instant, recordingIdText, sessionFacts } from "./session-facts.ts";
import { asJson, integer, list, object, oneOf, parseJson, type Shape, text } from "./shape.ts";
import { signAs, type SignatureVerdict, signerKeyId, verifyAs } from "./signature.ts";
import { type WrappedKeys, wrappedKeys } from "./wrapped-keys.ts";

export const manifestName = "manifest.json";
/** Six digits, so that a listing by name is in order. */
export const segmentName = (n: number): string => `${String(n).padStart(6, "0")}.seg`;

export type SegmentEntry = {
  n: number;
  /** The object's name beside the manifest. */
  name: string;
  bytes: number;
  /** Hex, of the whole object. */
  sha256: string;
  type: SegmentType;
  frames: number;
  firstSeq: number;
  lastSeq: number;
  firstTimeUs: number;
  lastTimeUs: number;
};

export type RecordingEnd = {
  reason: string;
  detail?: string;
  /** ISO 8601, UTC: when the manifest's writer closed it. */
  at: string;
  /** The last frame's time. */
  lastTimeUs: number;
};

/** Frames that were recorded and then lost, as the gateway itself states: it lies in this span how many were lost. */
export type RecordingBreak = {
  firstSeq: number;
  lastSeq: number;
  frames: number;
  reason: string;
};

/** What is to be signed; `signManifest` adds the rest. */
export type ManifestContent = {
  facts: SessionFacts;
  /** `interrupted`: the process died and recovery closed it, complete to the last frame that was committed. */
  state: "complete" | "interrupted";
  end: RecordingEnd;
  keys: WrappedKeys;
  segments: SegmentEntry[];
  /** Absent where nothing was lost, which is nearly always. */
  breaks?: RecordingBreak[];
};

export type Manifest = ManifestContent & {
  format: "gatehouse-recording";
  /** 2 with breaks, for a reader that knows of none must not take such a recording for whole. */
  version: 1 | 2;
  /** The session's id. */
  recordingId: string;
  /** SHA-256 (hex) of the last segment: with the chain, it stands for the whole. */
  headSha256: string;
  frames: number;
  /** Of all segments. */
  bytes: number;
  signer: { algorithm: "Ed25519"; publicKey: string; keyId: string };
  /** Base64; empty when nobody signed. */
  signature: string;
};

const count = integer(0, Number.MAX_SAFE_INTEGER);
export const hash = text({ charsMax: 64, pattern: /^[0-9a-f]{64}$/, says: "64 hexadecimal digits" });
const key32 = text({
  charsMax: 44,
  pattern: /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/,
  says: "32 bytes in base64",
});
export const signature64 = text({
  charsMax: 88,
  // Its last letter holds two bits: with others set it would be the same signature in other bytes.
  pattern: /^(?:[A-Za-z0-9+/]{85}[AQgw]==)?$/,
  says: "64 bytes in base64, or nothing",
});

export const signerShape = object(
  {
    algorithm: oneOf("Ed25519"),
    publicKey: key32,
    keyId: text({ charsMax: 16, pattern: /^[0-9a-f]{16}$/, says: "16 hexadecimal digits" }),
  },
  {},
  "refuse",
);

const segmentEntry = object(
  {
    n: integer(0, formatLimits.segmentsMax),
    name: text({ charsMax: 64, pattern: /^[0-9]{6}\.seg$/, says: "a name like 000000.seg" }),
    bytes: integer(0, formatLimits.segmentBytesMax),
    sha256: hash,
    type: oneOf("sealed", "raw"),
    frames: integer(1, formatLimits.segmentFramesMax),
    firstSeq: count,
    lastSeq: count,
    firstTimeUs: count,
    lastTimeUs: count,
  },
  {},
  "refuse",
);

const recordingBreak = object(
  { firstSeq: count, lastSeq: count, frames: count, reason: text({ charsMax: 1_024 }) },
  {},
  "refuse",
);

const manifest: Shape<Manifest> = object(
  {
    format: oneOf("gatehouse-recording"),
    version: oneOf(1, 2),
    recordingId: recordingIdText,
    facts: sessionFacts,
    state: oneOf("complete", "interrupted"),
    end: object(
      { reason: text({ charsMax: 1_024 }), at: instant, lastTimeUs: count },
      { detail: text({ charsMax: 262_144 }) },
      "refuse",
    ),
    keys: wrappedKeys,
    segments: list(segmentEntry, formatLimits.segmentsMax),
    headSha256: hash,
    frames: count,
    bytes: count,
    signer: signerShape,
    signature: signature64,
  },
  { breaks: list(recordingBreak, formatLimits.segmentsMax) },
  "refuse",
);

/** The bytes a signature covers: the canonical document without its `signature`. */
function signedBytes(whole: Manifest): Uint8Array {
  const { signature: _, ...rest } = whole;
  return canonicalBytes(asJson(rest));
}

/** Completes, signs and encodes. Throws `invalid`, naming the field, for content outside the format's limits. */
export async function signManifest(
  content: ManifestContent,
  signer: RecordingSigner,
): Promise<{ manifest: Manifest; bytes: Uint8Array }> {
  const head = content.segments.at(-1);
  assert(head, "a recording has at least one segment");
  const unsigned: Manifest = manifest(
    {
      ...content,
      format: "gatehouse-recording",
      version: content.breaks ? 2 : 1,
      recordingId: content.facts.sessionId,
      headSha256: head.sha256,
      frames: content.segments.reduce((sum, segment) => sum + segment.frames, 0),
      bytes: content.segments.reduce((sum, segment) => sum + segment.bytes, 0),
      signer: {
        algorithm: "Ed25519",
        publicKey: toBase64(signer.publicKey),
        keyId: await signerKeyId(signer.publicKey),
      },
      signature: "",
    },
    "",
  );
  const signature = toBase64(await signAs("manifest", signer, signedBytes(unsigned)));
  const signed = { ...unsigned, signature };
  return { manifest: signed, bytes: canonicalBytes(asJson(signed)) };
}

/**
 * Reads a manifest strictly: every field known and within its limits, segments numbered from 0, and the bytes exactly
 * canonical (so two readers can never see two documents in one). Throws `invalid` naming the field. The signature is
 * not checked here; that is `manifestSignature`.
 */
export function parseManifest(bytes: Uint8Array): Manifest {
  const parsed = manifest(parseJson("manifest.read", bytes, formatLimits.manifestBytesMax), "");
  if (!equalBytes(canonicalBytes(asJson(parsed)), bytes))
    throw wrong("the document", "is not canonical JSON");
  if (parsed.facts.sessionId !== parsed.recordingId) throw wrong("facts.sessionId", "is not recordingId");
  if ((parsed.version === 2) !== (parsed.breaks ?? []).length > 0)
    throw wrong("breaks", "stand in a manifest of version 2, and there only");
  if (parsed.segments.length === 0) throw wrong("segments", "is empty");
  for (const [i, segment] of parsed.segments.entries())
    if (segment.n !== i || segment.name !== segmentName(i))
      throw wrong(`segments[${i}]`, `is numbered ${segment.n} and named ${segment.name}`);
  return parsed;
}

/** The break that a span of sequences lies in, where the gateway has stated one. */
export function breakOf(
  { breaks = [] }: Pick<Manifest, "breaks">,
  firstSeq: number,
  lastSeq: number,
): RecordingBreak | undefined {
  return breaks.find((one) => one.firstSeq <= firstSeq && lastSeq <= one.lastSeq);
}

export async function manifestSignature(given: Manifest): Promise<SignatureVerdict> {
  if (given.signature === "") return "unsigned";
  const publicKey = fromBase64(given.signer.publicKey);
  if (given.signer.keyId !== (await signerKeyId(publicKey))) return "invalid";
  const good = await verifyAs("manifest", publicKey, fromBase64(given.signature), signedBytes(given));
  return good ? "valid" : "invalid";
}

function wrong(field: string, what: string): GatehouseError {
  return new GatehouseError({
    code: "invalid",
    op: "manifest.read",
    message: `${field} ${what}`,
    details: { field },
  });
}

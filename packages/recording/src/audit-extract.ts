import { equalBytes, fromBase64, toBase64, toHex } from "@gatehouse/kernel";
import { canonicalBytes } from "./canonical-json.ts";
import { formatLimits } from "./format-limits.ts";
import { hash, signature64, signerShape } from "./manifest.ts";
import type { RecordingSigner } from "./seal-crypto.ts";
import { recordingIdText } from "./session-facts.ts";
import { asJson, integer, object, oneOf, parseJson, type Shape } from "./shape.ts";
import { sha256, signAs, signerKeyId, verifyAs } from "./signature.ts";

/** The audit events of one session as a bundle carries them: the log's own lines, and what the gateway states about them. */
export type AuditExtract = {
  /** The events as they were hashed, one a line. */
  lines: Uint8Array;
  /** The signed statement. */
  statement: Uint8Array;
};

type Statement = {
  format: "gatehouse-audit-extract";
  version: 1;
  recordingId: string;
  /** The log's index of the last of them. */
  upTo: number;
  /** Of the lines. */
  sha256: string;
  signer: { algorithm: "Ed25519"; publicKey: string; keyId: string };
  /** Base64. */
  signature: string;
};

const shape: Shape<Statement> = object(
  {
    format: oneOf("gatehouse-audit-extract"),
    version: oneOf(1),
    recordingId: recordingIdText,
    upTo: integer(0, Number.MAX_SAFE_INTEGER),
    sha256: hash,
    signer: signerShape,
    signature: signature64,
  },
  {},
  "refuse",
);

const signedBytes = (of: Statement) => canonicalBytes(asJson({ ...of, signature: undefined }));

/** States that these are the session's audit events up to a place in the log. The same events make the same bytes. */
export async function signAuditExtract(
  of: { recordingId: string; lines: Uint8Array; upTo: number },
  signer: RecordingSigner,
): Promise<AuditExtract> {
  const { recordingId, lines, upTo } = of;
  const unsigned: Statement = {
    format: "gatehouse-audit-extract",
    version: 1,
    recordingId,
    upTo,
    sha256: toHex(await sha256(lines)),
    signer: {
      algorithm: "Ed25519",
      publicKey: toBase64(signer.publicKey),
      keyId: await signerKeyId(signer.publicKey),
    },
    signature: "",
  };
  const signature = toBase64(await signAs("audit", signer, signedBytes(unsigned)));
  return { lines, statement: canonicalBytes(asJson({ ...unsigned, signature })) };
}

export type AuditExtractVerdict = {
  readonly events: number;
  /** Who vouches for them; undefined where nobody does. */
  readonly signer: { keyId: string; trusted: boolean } | undefined;
  /** Sentences, one for each thing that is wrong. */
  readonly faults: readonly string[];
};

/** Judges the events of a bundle, and whether they are of this recording. Bad data never throws. */
export async function judgeAuditExtract(
  { lines, statement }: { lines: Uint8Array; statement: Uint8Array | undefined },
  of: {
    recordingId: string | undefined;
    headSha256: string | undefined;
    trustedKeys: readonly Uint8Array[];
  },
): Promise<AuditExtractVerdict> {
  const faults: string[] = [];
  const events = eventsIn(lines, of, faults);
  const stated = statement && statedIn(statement, faults);
  if (!stated) return { events, signer: undefined, faults };
  const key = fromBase64(stated.signer.publicKey);
  if (!(await verifyAs("audit", key, fromBase64(stated.signature), signedBytes(stated))))
    faults.push("their signature does not match");
  else if (stated.sha256 !== toHex(await sha256(lines))) faults.push("they are not those that were signed");
  if (of.recordingId !== undefined && stated.recordingId !== of.recordingId)
    faults.push(`they were signed as those of ${stated.recordingId}`);
  const trusted = of.trustedKeys.some((one) => equalBytes(one, key));
  return { events, signer: { keyId: await signerKeyId(key), trusted }, faults };
}

function statedIn(bytes: Uint8Array, faults: string[]): Statement | undefined {
  try {
    return shape(parseJson("audit.extract", bytes, formatLimits.auditStatementBytesMax), "");
  } catch {
    faults.push("what was signed of them is no statement");
    return undefined;
  }
}

/** Counts them, and holds each to the recording. */
function eventsIn(
  bytes: Uint8Array,
  { recordingId, headSha256 }: { recordingId: string | undefined; headSha256: string | undefined },
  faults: string[],
): number {
  const lines = new TextDecoder().decode(bytes).split("\n").filter(Boolean);
  for (const [i, line] of lines.entries()) {
    const event = objectIn(line);
    if (!event) faults.push(`line ${i + 1} is no event`);
    else if (recordingId !== undefined && event["session_id"] !== recordingId)
      faults.push(`line ${i + 1} is about ${String(event["session_id"])}`);
    else if (
      event["event"] === "session.end" &&
      typeof event["head_sha256"] === "string" &&
      headSha256 !== undefined &&
      event["head_sha256"] !== headSha256
    )
      faults.push("session.end carries another head than the manifest");
    if (faults.length >= 100) break;
  }
  return lines.length;
}

function objectIn(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

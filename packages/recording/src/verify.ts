import { equalBytes, fromBase64, isGatehouseError, messageOf, toHex } from "@gatehouse/kernel";
import { type AuditExtractVerdict, judgeAuditExtract } from "./audit-extract.ts";
import { bundleNames } from "./bundle.ts";
import { formatLimits } from "./format-limits.ts";
import type { Lane, SessionFacts } from "./frame.ts";
import {
  type Manifest,
  type RecordingBreak,
  manifestName,
  manifestSignature,
  parseManifest,
  segmentName,
} from "./manifest.ts";
import { canonicalBytes } from "./canonical-json.ts";
import { judgeRewrappedKeys, keysNumber } from "./rewrapped-keys.ts";
import { asJson } from "./shape.ts";
import { sha256 } from "./signature.ts";
import { recipientNames } from "./recipient-names.ts";
import type { RecordingSource } from "./source.ts";
import { ChainWalk } from "./verify-chain.ts";
import { type Finding, Findings } from "./verify-findings.ts";
import type { KeyOpener, WrappedKeys } from "./wrapped-keys.ts";
import { scriptZstd, type Zstd } from "./zstd.ts";

export type VerifyOptions = {
  /** Ed25519 public keys, 32 bytes each, of the gateways one trusts. Without them, all must only be one signer's. */
  trustedKeys?: readonly Uint8Array[];
  /** With openers, every block that they open is decrypted and every frame checked. */
  openers?: readonly KeyOpener[];
  /** The decoder, where there is a faster one than JavaScript's. */
  zstd?: Zstd;
  /** What is known from elsewhere, the audit log above all: only that unmasks an old manifest with nothing after it. */
  expected?: { recordingId?: string; headSha256?: string };
};

export type Verification = {
  /** No findings. A live recording is never ok: it is not closed. */
  readonly ok: boolean;
  readonly findings: readonly Finding[];
  /** More than `findings` holds when there were more than a thousand. */
  readonly findingsCount: number;
  readonly recordingId: string | undefined;
  readonly facts: SessionFacts | undefined;
  readonly state: Manifest["state"] | "open" | undefined;
  readonly end: Manifest["end"] | undefined;
  /** What the gateway itself states as lost. Such a loss is no finding, and `ok` speaks of the rest. */
  readonly breaks: readonly RecordingBreak[];
  /** The manifest's signer (base64), and whether it is among `trustedKeys`. */
  readonly signer: { publicKey: string; keyId: string; trusted: boolean } | undefined;
  /** Whom it opens for, and what of it: of the newest good keys that were wrapped again, or of the manifest. */
  readonly recipients: readonly string[];
  /** Of the last good segment. */
  readonly headSha256: string | undefined;
  /** Good segments, and what their signed headers declare. */
  readonly segments: number;
  readonly frames: number;
  readonly bytes: number;
  readonly lastTimeUs: number;
  /** Of a bundle: how many audit events it carries, and who vouches for them; undefined where it carries none. */
  readonly audit: { readonly events: number; readonly signer: AuditExtractVerdict["signer"] } | undefined;
  /** What was decrypted and checked, of which `unknown` frames have a kind that this version does not know. */
  readonly decrypted: {
    readonly frames: number;
    readonly unknown: number;
    /** Lanes that no opener opens; undefined where no openers were given. */
    readonly withheld: readonly Lane[] | undefined;
  };
};

/**
 * Says whether a recording is what was recorded, and names what is wrong. Bad data never throws; every object is read
 * once and one segment is held at a time.
 */
export async function verifyRecording(
  source: RecordingSource,
  options: VerifyOptions = {},
): Promise<Verification> {
  const findings = new Findings();
  const names = await source.list().catch((error: unknown) => {
    findings.add("unreadable", messageOf(error));
    return [] as readonly string[];
  });
  const present = new Set(names);
  const manifest = present.has(manifestName) ? await readManifest(source, findings) : undefined;
  if (manifest) await judgeManifest(manifest, options, findings);
  else if (!present.has(manifestName)) findings.add("manifest_missing");

  const rewrapped = await judgeKeys({ source, present, manifest, options, findings });
  const walk = new ChainWalk({
    manifest,
    findings,
    rewrapped,
    trustedKeys: options.trustedKeys,
    openers: options.openers,
    zstd: options.zstd ?? scriptZstd,
    expectedId: options.expected?.recordingId,
  });
  const objects = [...present].filter((name) => name.endsWith(".seg")).sort();
  const places = manifest?.segments.length ?? highestNumber(objects) + 1;
  for (let n = 0; n < places; n++) {
    const name = segmentName(n);
    if (present.has(name)) await walk.take(n, await readSegment(source, name, n, findings));
    else walk.absent(n);
  }
  for (const name of objects)
    if (!isPlace(name, places)) {
      const bytes = await readSegment(source, name, undefined, findings);
      if (bytes) await walk.extra(name, bytes);
    }
  walk.finish();
  const head = options.expected?.headSha256;
  if (head !== undefined && (manifest?.headSha256 ?? walk.headSha256) !== head)
    findings.add("manifest_replayed", "its head is not the one expected");
  const audit = await judgeAudit({
    source,
    present,
    of: { recordingId: walk.recordingId, headSha256: manifest?.headSha256 },
    options,
    findings,
  });

  return {
    ok: findings.count === 0,
    findings: findings.list(),
    findingsCount: findings.count,
    recordingId: walk.recordingId,
    facts: manifest?.facts ?? walk.opening?.facts,
    state: manifest?.state ?? (walk.segments > 0 ? "open" : undefined),
    end: manifest?.end,
    breaks: manifest?.breaks ?? [],
    signer: manifest && {
      publicKey: manifest.signer.publicKey,
      keyId: manifest.signer.keyId,
      trusted: isTrusted(manifest, options.trustedKeys ?? []),
    },
    recipients: recipientsOf(rewrapped[0] ?? manifest?.keys ?? walk.opening?.keys),
    headSha256: walk.headSha256,
    segments: walk.segments,
    frames: walk.frames,
    bytes: walk.bytes,
    lastTimeUs: walk.lastTimeUs,
    audit,
    decrypted: walk.decrypted(),
  };
}

/** What a bundle carries of the audit log. */
async function judgeAudit(fields: {
  source: RecordingSource;
  present: ReadonlySet<string>;
  of: { recordingId: string | undefined; headSha256: string | undefined };
  options: VerifyOptions;
  findings: Findings;
}): Promise<Verification["audit"]> {
  const { source, present, of, options, findings } = fields;
  const read = async (name: string, bytesMax: number) => {
    if (!present.has(name)) return undefined;
    return await source.read(name, bytesMax).catch((error: unknown) => {
      findings.add("unreadable", `${name}: ${messageOf(error)}`);
      return undefined;
    });
  };
  const { auditEvents, auditStatement } = bundleNames;
  const lines = await read(auditEvents, formatLimits.auditEventsBytesMax);
  const statement = await read(auditStatement, formatLimits.auditStatementBytesMax);
  if (!lines) {
    if (statement) findings.add("audit_altered", "they were signed, and are not there");
    return undefined;
  }
  const trustedKeys = options.trustedKeys ?? [];
  const verdict = await judgeAuditExtract({ lines, statement }, { ...of, trustedKeys });
  for (const fault of verdict.faults) findings.add("audit_altered", fault);
  const { events, signer } = verdict;
  if (signer && options.trustedKeys && !signer.trusted)
    findings.add("wrong_signer", `the audit events' signer is ${signer.keyId}`);
  return { events, signer };
}

async function readManifest(source: RecordingSource, findings: Findings): Promise<Manifest | undefined> {
  try {
    return parseManifest(await source.read(manifestName, formatLimits.manifestBytesMax));
  } catch (error) {
    findings.add(isAboutData(error) ? "manifest_malformed" : "unreadable", messageOf(error));
    return undefined;
  }
}

async function judgeManifest(
  manifest: Manifest,
  { trustedKeys, expected }: VerifyOptions,
  findings: Findings,
): Promise<void> {
  const verdict = await manifestSignature(manifest);
  if (verdict === "unsigned") findings.add("manifest_unsigned");
  if (verdict === "invalid") findings.add("manifest_altered");
  if (expected?.recordingId !== undefined && manifest.recordingId !== expected.recordingId)
    findings.add("manifest_foreign", `it is of ${manifest.recordingId}`);
  if (trustedKeys && !isTrusted(manifest, trustedKeys))
    findings.add("wrong_signer", `the manifest's signer is ${manifest.signer.keyId}`);

  const { segments } = manifest;
  const sum = (of: "frames" | "bytes") => segments.reduce((total, segment) => total + segment[of], 0);
  if (sum("frames") !== manifest.frames) findings.add("frame_count", "the manifest's sum of its segments");
  if (sum("bytes") !== manifest.bytes) findings.add("manifest_inconsistent", "the sum of bytes");
  if (segments.at(-1)?.sha256 !== manifest.headSha256)
    findings.add("manifest_inconsistent", "its head is not its last segment");
  if (segments.at(-1)?.lastTimeUs !== manifest.end.lastTimeUs)
    findings.add("manifest_inconsistent", "its end is not its last segment's");
}

const recipientsOf = (keys: WrappedKeys | undefined) => (keys ? recipientNames(keys) : []);

/** Judges every object of keys wrapped again; resolves with what may be used of them, newest first. */
async function judgeKeys(fields: {
  source: RecordingSource;
  present: ReadonlySet<string>;
  manifest: Manifest | undefined;
  options: VerifyOptions;
  findings: Findings;
}): Promise<WrappedKeys[]> {
  const { source, present, manifest, options, findings } = fields;
  const recordingId = manifest?.recordingId ?? options.expected?.recordingId;
  // Without a manifest there is nothing that they could be held to.
  if (recordingId === undefined) return [];
  const manifestSha256 = manifest && toHex(await sha256(canonicalBytes(asJson(manifest))));
  const trustedKeys = options.trustedKeys ?? (manifest ? [fromBase64(manifest.signer.publicKey)] : []);
  const good: WrappedKeys[] = [];
  for (const name of [...present].filter(keysNumber).sort()) {
    const bytes = await source.read(name, formatLimits.keysBytesMax).catch((error: unknown) => {
      findings.add(isAboutData(error) ? "keys_altered" : "unreadable", `${name}: ${messageOf(error)}`);
      return undefined;
    });
    if (!bytes) continue;
    const { keys, fault } = await judgeRewrappedKeys(name, bytes, {
      recordingId,
      manifestSha256,
      trusted: (key) => trustedKeys.some((one) => equalBytes(one, key)),
    });
    if (fault) findings.add(fault.code, fault.message);
    else if (keys && manifest && good.unshift(keys.keys) > formatLimits.keysObjectsReadMax) good.pop();
  }
  return good;
}

function isTrusted(manifest: Manifest, trustedKeys: readonly Uint8Array[]): boolean {
  const signer = fromBase64(manifest.signer.publicKey);
  return trustedKeys.some((key) => equalBytes(key, signer));
}

const numbered = /^(\d{6})\.seg$/;

function highestNumber(names: readonly string[]): number {
  const numbers = names.map((name) => numbered.exec(name)?.[1]).filter((digits) => digits !== undefined);
  // Names are sorted. A single 999999.seg must not make a million findings.
  return Math.min(Number(numbers.at(-1) ?? -1), formatLimits.segmentsMax - 1);
}

function isPlace(name: string, places: number): boolean {
  const digits = numbered.exec(name)?.[1];
  return digits !== undefined && Number(digits) < places;
}

/** Whether an error is about what was read, not about reading. */
function isAboutData(error: unknown): boolean {
  return isGatehouseError(error) && ["invalid", "too_large", "corrupt", "protocol"].includes(error.code);
}

async function readSegment(
  source: RecordingSource,
  name: string,
  segment: number | undefined,
  findings: Findings,
): Promise<Uint8Array | undefined> {
  try {
    return await source.read(name, formatLimits.segmentBytesMax);
  } catch (error) {
    if (isGatehouseError(error, "not_found")) findings.add("segment_missing", name, segment);
    else findings.add(isAboutData(error) ? "segment_malformed" : "unreadable", messageOf(error), segment);
    return undefined;
  }
}

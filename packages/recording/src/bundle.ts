import { checkLimit, concatBytes, fromBase64, GatehouseError, toBase64, utf8 } from "@gatehouse/kernel";
import type { AuditExtract } from "./audit-extract.ts";
import { formatLimits } from "./format-limits.ts";
import { type Manifest, manifestName, parseManifest } from "./manifest.ts";
import { keysName, keysNumbers } from "./rewrapped-keys.ts";
import { notFound, type RecordingSource } from "./source.ts";
import { listTar, type RangeReader, tarEnd, tarHeader, tarPadding } from "./tar.ts";

export const bundleNames = {
  readme: "README.txt",
  publicKey: "signer.pem",
  auditEvents: "audit-events.jsonl",
  auditStatement: "audit-events.json",
} as const;
/** Segments, keys that were wrapped again, and the five other files. */
const filesMax = formatLimits.segmentsMax + formatLimits.keysObjectsMax + 5;

/**
 * Writes a closed recording as one file, a tar: everything that proves it, and a text that says how. Streams; one
 * segment is in memory at a time. It decrypts nothing, so whoever exports needs no key. Segments that are gone are left out,
 * for the verifier to name. Rejects with `not_found` without a manifest and with `invalid` for a malformed one.
 */
export async function* writeBundle(fields: {
  source: RecordingSource;
  /** What the audit log knows of this session. */
  audit?: AuditExtract | undefined;
  /** Who takes it away, where that has to be said. */
  takenBy?: string | undefined;
}): AsyncGenerator<Uint8Array> {
  const { source, audit, takenBy } = fields;
  const manifestBytes = await source.read(manifestName, formatLimits.manifestBytesMax);
  const manifest = parseManifest(manifestBytes);
  const mtimeS = Math.floor(Date.parse(manifest.end.at) / 1000);
  function* file(name: string, content: Uint8Array) {
    yield tarHeader({ path: `${manifest.recordingId}/${name}`, bytes: content.length, mtimeS });
    yield content;
    yield tarPadding(content.length);
  }
  yield* file(bundleNames.readme, utf8(readme(manifest, takenBy)));
  yield* file(manifestName, manifestBytes);
  yield* file(bundleNames.publicKey, utf8(publicKeyPem(fromBase64(manifest.signer.publicKey))));
  for (const n of await keysNumbers(source))
    yield* file(keysName(n), await source.read(keysName(n), formatLimits.keysBytesMax));
  if (audit) {
    yield* file(bundleNames.auditEvents, audit.lines);
    yield* file(bundleNames.auditStatement, audit.statement);
  }
  const present = new Set(await source.list());
  for (const { name } of manifest.segments)
    if (present.has(name)) yield* file(name, await source.read(name, formatLimits.segmentBytesMax));
  yield tarEnd();
}

/**
 * Reads a bundle as a source, so that reading and verifying take it like a directory. Throws `corrupt` when the file is no bundle:
 * not a tar, more than one folder, a name twice.
 */
export async function openBundle(reader: RangeReader): Promise<RecordingSource> {
  const files = new Map<string, { start: number; bytes: number }>();
  let folder: string | undefined;
  for (const { path, start, bytes } of await listTar(reader, filesMax)) {
    const [, own, name] = /^([A-Za-z0-9-]+)\/([A-Za-z0-9._-]+)$/.exec(path) ?? [];
    folder ??= own;
    if (name === undefined || own !== folder || files.has(name))
      throw new GatehouseError({ code: "corrupt", op: "bundle.read", message: "not a recording's bundle" });
    files.set(name, { start, bytes });
  }
  return {
    list: () => Promise.resolve([...files.keys()]),
    async read(name, bytesMax) {
      const file = files.get(name);
      if (!file) throw notFound(name);
      checkLimit("source.read", `${name}, in bytes,`, file.bytes, bytesMax);
      return await reader.read(file.start, file.start + file.bytes);
    },
  };
}

/** A bundle that is in memory already. */
export function bytesReader(bytes: Uint8Array): RangeReader {
  return { bytes: bytes.length, read: (start, end) => Promise.resolve(bytes.subarray(start, end)) };
}

/** SubjectPublicKeyInfo of an Ed25519 key (RFC 8410 §4) as OpenSSL reads it. */
export function publicKeyPem(publicKey: Uint8Array): string {
  const prefix = Uint8Array.of(0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00);
  return `-----BEGIN PUBLIC KEY-----\n${toBase64(concatBytes([prefix, publicKey]))}\n-----END PUBLIC KEY-----\n`;
}

function readme(manifest: Manifest, takenBy: string | undefined): string {
  const { facts, signer } = manifest;
  return `Recording of a privileged session
=================================

Session    ${manifest.recordingId}
Person     ${line(facts.user.name)}
Target     ${line(facts.login)} at ${line(facts.target.name)} (${line(facts.target.address)})
Started    ${facts.startedAt}
Ended      ${manifest.end.at} (${manifest.state}: ${line(manifest.end.reason)})
Segments   ${manifest.segments.length}
Head       ${manifest.headSha256}
Signed by  Ed25519 key ${signer.keyId}
${takenBy === undefined ? "" : `Taken by   ${line(takenBy)}, named here as the policy of the target demands\n`}
What is here
  manifest.json        what the recording is, every segment with its SHA-256, and the gateway's signature
  signer.pem           the public key of that signature
  keys-NNNN.json       the recording's keys, wrapped later for other recipients (where that was done); the last one counts
  NNNNNN.seg           the recording itself, compressed and encrypted; each names the one before it
  audit-events.jsonl   what the audit log holds about this session (where it was exported with it)
  audit-events.json    the gateway's signature of those, with the place in the log up to which they go

How to verify it, offline
  gatehouse verify <this file or its folder> --trusted-key <the gateway's public key>
With an export of the audit log (gatehouse audit export), --audit <that file> compares its events with those here.

Get the gateway's public key from its operator by another way than this file and compare it: signer.pem shows only
that one key signed everything here, not whose key that is. Compare Head with the session's end in the audit log: that shows
that this is the whole recording and not an earlier state of it.

Without Gatehouse: docs/format.md of its source describes every byte and the steps of verification. To see only that the
segments are the listed ones, compare \`sha256sum *.seg\` with manifest.json.

To play it you need an age identity that one of its recipients stands for, or the right to decrypt in a key service that is one
(see "keys" in the last keys-NNNN.json, or else in manifest.json):
  gatehouse play <this file> --identity <file>
`;
}

/** Facts are people's words: no line of theirs may look like one of ours. */
function line(text: string): string {
  return text.replace(/[^\x20-\x7e\u00a1-\uffff]/g, "?").slice(0, 200);
}

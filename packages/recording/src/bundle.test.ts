import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createPublicKey } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { concatBytes, fromUtf8, toHex, utf8 } from "@gatehouse/kernel";
import { type AuditExtract, signAuditExtract } from "./audit-extract.ts";
import { bytesReader, openBundle, writeBundle } from "./bundle.ts";
import { manifestName } from "./manifest.ts";
import { directorySource, nodeZstd } from "./node/mod.ts";
import { memorySource, type RecordingSource } from "./source.ts";
import { sampleRecording } from "./testing/sample-recording.ts";
import { verifyRecording } from "./verify.ts";

const sample = await sampleRecording({ seed: 31, raw: (n) => n === 1 });

async function bundleOf(
  source: RecordingSource,
  more: { audit?: AuditExtract; takenBy?: string } = {},
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of writeBundle({ source, ...more })) parts.push(part);
  return concatBytes(parts);
}

const { sessionId } = sample.facts;
const startAndEnd: object[] = [
  { event: "session.start", session_id: sessionId },
  { event: "session.end", session_id: sessionId, head_sha256: sample.manifest.headSha256 },
];
const linesOf = (events: readonly object[]) => utf8(events.map((one) => `${JSON.stringify(one)}\n`).join(""));
const extractOf = (events: readonly object[], signer = sample.signer, recordingId = sessionId) =>
  signAuditExtract({ recordingId, lines: linesOf(events), upTo: 7 }, signer);

const options = { trustedKeys: [sample.signer.publicKey], openers: [sample.opener], zstd: nodeZstd };

test("a bundle holds the recording and verifies by itself", async () => {
  const audit = await extractOf(startAndEnd);
  const bundle = await bundleOf(memorySource(sample.objects), { audit });
  const source = await openBundle(bytesReader(bundle));
  const verdict = await verifyRecording(source, options);
  assert.deepEqual(verdict.findings, []);
  assert.equal(verdict.decrypted.frames, sample.frames.length);
  assert.deepEqual(await source.read(manifestName, 1 << 20), sample.objects.get(manifestName));
  assert.match(fromUtf8(await source.read("README.txt", 1 << 20)), /Head {7}[0-9a-f]{64}\n/);
  assert.deepEqual(await source.read("audit-events.jsonl", 10_000), audit.lines);
  assert.deepEqual(verdict.audit?.events, 2);
  assert.equal(verdict.audit?.signer?.trusted, true);
  await assert.rejects(source.read("absent", 1), { code: "not_found" });
  await assert.rejects(source.read(manifestName, 1), { code: "too_large" });
});

test("tar unpacks it, OpenSSL reads its key, and the folder verifies", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gatehouse-bundle-"));
  try {
    writeFileSync(join(folder, "bundle.tar"), await bundleOf(memorySource(sample.objects)));
    execFileSync("tar", ["-xf", "bundle.tar"], { cwd: folder });
    const own = join(folder, sample.facts.sessionId);
    const verdict = await verifyRecording(directorySource(own), options);
    assert.deepEqual(verdict.findings, []);
    const { x } = createPublicKey(readFileSync(join(own, "signer.pem"))).export({ format: "jwk" });
    assert.equal(x, Buffer.from(sample.signer.publicKey).toString("base64url"));
    assert.equal(
      toHex(readFileSync(join(own, "000001.seg"))),
      toHex(sample.objects.get("000001.seg") as Uint8Array),
    );
    await assert.rejects(directorySource(own).read("../bundle.tar", 1 << 20), { code: "not_found" });
    await assert.rejects(directorySource(own).read("absent.seg", 1 << 20), { code: "not_found" });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("an altered segment in a bundle is named", async () => {
  const altered = new Map(sample.objects);
  const bytes = (altered.get("000002.seg") as Uint8Array).slice();
  bytes[200] = (bytes[200] as number) ^ 1;
  altered.set("000002.seg", bytes);
  altered.delete("000004.seg");
  const source = await openBundle(bytesReader(await bundleOf(memorySource(altered))));
  const { findings } = await verifyRecording(source, options);
  assert.deepEqual(
    findings.map(({ code, segment }) => [code, segment]),
    [
      ["segment_altered", 2],
      ["segment_missing", 4],
    ],
  );
});

test("audit events that were altered, left out, or are another's are named", async () => {
  const good = await extractOf(startAndEnd);
  const stranger = (await sampleRecording({ seed: 31, signerSeed: 8 })).signer;
  const judged = async (audit: AuditExtract) =>
    (
      await verifyRecording(
        await openBundle(bytesReader(await bundleOf(memorySource(sample.objects), { audit }))),
        options,
      )
    ).findings.map(({ code, message }) => `${code}: ${message}`);
  const [start, end] = startAndEnd;
  const otherHead = { ...end, head_sha256: "0".repeat(64) };
  for (const [audit, says] of [
    [
      { ...good, lines: linesOf([start as object]) },
      /audit_altered: .*\(they are not those that were signed\)/,
    ],
    [await extractOf([{ event: "exec", session_id: "other" }]), /line 1 is about other/],
    [await extractOf([otherHead]), /session.end carries another head/],
    [await extractOf(startAndEnd, stranger), /wrong_signer: .*the audit events' signer/],
    [
      await extractOf(startAndEnd, sample.signer, "0199c0de-0000-7000-8000-00000000beef"),
      /signed as those of/,
    ],
    [{ ...good, statement: utf8("{}") }, /is no statement/],
    [
      { ...good, statement: utf8(fromUtf8(good.statement).replace('"upTo":7', '"upTo":8')) },
      /signature does not match/,
    ],
  ] as const) {
    const findings = await judged(audit);
    assert.equal(findings.length, 1, findings.join("\n"));
    assert.match(findings[0] ?? "", says);
  }
  const without = await openBundle(
    bytesReader(await bundleOf(memorySource(sample.objects), { audit: good, takenBy: "eve\nHead  0" })),
  );
  assert.match(
    fromUtf8(await without.read("README.txt", 1 << 20)),
    /\nTaken by {3}eve\?Head {2}0, named here/,
  );
  const names = (await without.list()).filter((name) => name !== "audit-events.json");
  const unsigned = await verifyRecording({ ...without, list: async () => names }, options);
  assert.deepEqual([unsigned.ok, unsigned.audit], [true, { events: 2, signer: undefined }]);
  const gone = await verifyRecording(
    { ...without, list: async () => [...names, "audit-events.json"].filter((n) => !n.endsWith("jsonl")) },
    options,
  );
  assert.equal(gone.findings[0]?.code, "audit_altered");
});

test("what is no bundle is refused", async () => {
  const bundle = await bundleOf(memorySource(sample.objects));
  const bad = [new Uint8Array(), new Uint8Array(511), bundle.subarray(0, 2048), utf8("x".repeat(2000))];
  for (const bytes of bad) await assert.rejects(openBundle(bytesReader(bytes)), { code: "corrupt" });
  const damaged = bundle.slice();
  damaged[3] = 0x41;
  await assert.rejects(openBundle(bytesReader(damaged)), { code: "corrupt" });
});

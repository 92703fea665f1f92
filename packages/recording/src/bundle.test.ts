import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createPublicKey } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { concatBytes, fromUtf8, toHex, utf8 } from "@gatehouse/kernel";
import { bytesReader, openBundle, writeBundle } from "./bundle.ts";
import { manifestName } from "./manifest.ts";
import { directorySource, nodeZstd } from "./node/mod.ts";
import { memorySource, type RecordingSource } from "./source.ts";
import { sampleRecording } from "./testing/sample-recording.ts";
import { verifyRecording } from "./verify.ts";

const sample = await sampleRecording({ seed: 31, raw: (n) => n === 1 });

async function bundleOf(source: RecordingSource, auditEvents?: Uint8Array): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of writeBundle(auditEvents ? { source, auditEvents } : { source })) parts.push(part);
  return concatBytes(parts);
}

const options = { trustedKeys: [sample.signer.publicKey], openers: [sample.opener], zstd: nodeZstd };

test("a bundle holds the recording and verifies by itself", async () => {
  const bundle = await bundleOf(memorySource(sample.objects), utf8('{"event":"session.start"}\n'));
  const source = await openBundle(bytesReader(bundle));
  const verdict = await verifyRecording(source, options);
  assert.deepEqual(verdict.findings, []);
  assert.equal(verdict.decrypted.frames, sample.frames.length);
  assert.deepEqual(await source.read(manifestName, 1 << 20), sample.objects.get(manifestName));
  assert.match(fromUtf8(await source.read("README.txt", 1 << 20)), /Head {7}[0-9a-f]{64}\n/);
  assert.equal(fromUtf8(await source.read("audit-events.jsonl", 100)), '{"event":"session.start"}\n');
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

test("what is no bundle is refused", async () => {
  const bundle = await bundleOf(memorySource(sample.objects));
  const bad = [new Uint8Array(), new Uint8Array(511), bundle.subarray(0, 2048), utf8("x".repeat(2000))];
  for (const bytes of bad) await assert.rejects(openBundle(bytesReader(bytes)), { code: "corrupt" });
  const damaged = bundle.slice();
  damaged[3] = 0x41;
  await assert.rejects(openBundle(bytesReader(damaged)), { code: "corrupt" });
});

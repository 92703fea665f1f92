/** Recordings made by the first version of the format: every later version reads them as they were. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { fromHex, fromUtf8, toBase64 } from "@gatehouse/kernel";
import { bytesReader, openBundle } from "./bundle.ts";
import { type Frame, laneOf } from "./frame.ts";
import { directorySource, nodeZstd } from "./node/mod.ts";
import { openRecording } from "./recording-reader.ts";
import type { RecordingSource } from "./source.ts";
import { verifyRecording } from "./verify.ts";
import { ageOpener } from "./wrapped-keys.ts";
import { scriptZstd } from "./zstd.ts";

const folder = fileURLToPath(new URL("../../../testdata/v1", import.meta.url));
const text = (name: string) => readFileSync(`${folder}/${name}`, "utf8").trim();
const everything = ageOpener([text("identity-everything.txt")]);
const outputOnly = ageOpener([text("identity-output-only.txt")]);
const trustedKeys = [fromHex(text("signer.hex"))];

type Expected = { seq: number; timeUs: number; kind: Frame["kind"]; stream: number; data: string };
const expectedOf = (name: string) => JSON.parse(text(`${name}.expected.json`)) as Expected[];

async function framesOf(source: RecordingSource, opener = everything, zstd = nodeZstd): Promise<Expected[]> {
  const recording = await openRecording({ source, openers: [opener], zstd });
  const frames: Expected[] = [];
  for await (const { seq, timeUs, kind, stream, data } of recording.frames())
    frames.push({ seq, timeUs, kind, stream, data: toBase64(data) });
  return frames;
}

for (const [name, state] of [
  ["terminal", "complete"],
  ["exec", "complete"],
  ["interrupted", "interrupted"],
] as const)
  test(`v1 ${name} is read as it was`, async () => {
    const source = directorySource(`${folder}/${name}`);
    const expected = expectedOf(name);
    assert.deepEqual(await framesOf(source), expected);
    assert.deepEqual(await framesOf(source, everything, scriptZstd), expected);
    assert.deepEqual(
      await framesOf(source, outputOnly),
      expected.filter((frame) => laneOf(frame.kind) === "main"),
    );
    const verdict = await verifyRecording(source, { trustedKeys, openers: [everything] });
    assert.deepEqual(verdict.findings, []);
    assert.equal(verdict.state, state);
    assert.equal(verdict.decrypted.frames, expected.length);
  });

test("the v1 bundle is read as it was", async () => {
  const source = await openBundle(bytesReader(readFileSync(`${folder}/terminal.tar`)));
  assert.deepEqual(await framesOf(source), expectedOf("terminal"));
  assert.deepEqual((await verifyRecording(source, { trustedKeys })).findings, []);
  assert.equal(fromUtf8(await source.read("signer.pem", 1_000)).trim(), text("signer.pem"));
});

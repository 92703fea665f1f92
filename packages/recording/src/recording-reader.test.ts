import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Frame, frameKinds, type FrameKind, laneOf } from "./frame.ts";
import { manifestName } from "./manifest.ts";
import { nodeZstd } from "./node/mod.ts";
import { type FrameFilter, openRecording } from "./recording-reader.ts";
import { memorySource } from "./source.ts";
import { facts } from "./testing/facts.ts";
import { plain, type Sample, sampleRecording } from "./testing/sample-recording.ts";
import { encodeSessionEnd, encodeSessionStart } from "./tracks/session-payloads.ts";
import { verifyRecording } from "./verify.ts";
import { scriptZstd, type Zstd } from "./zstd.ts";

async function readAll(
  sample: Sample,
  filter: FrameFilter = {},
  opener = sample.opener,
  zstd: Zstd = nodeZstd,
) {
  const source = memorySource(sample.objects);
  const recording = await openRecording({ source, openers: [opener], zstd });
  const frames: Frame[] = [];
  for await (const frame of recording.frames(filter)) frames.push(frame);
  return { recording, frames };
}

const kinds = Object.keys(frameKinds).filter((kind) => !kind.startsWith("session.")) as FrameKind[];
const anyFrames = fc
  .array(
    fc.record({
      kind: fc.constantFrom(...kinds),
      stream: fc.oneof(fc.nat(3), fc.nat(2 ** 31 - 1)),
      stepUs: fc.oneof(
        fc.nat(1000),
        fc.nat(2 ** 31 - 1).map((n) => n * 1000),
      ),
      data: fc.oneof(
        fc.uint8Array({ maxLength: 40 }),
        fc.nat(3000).map((n) => new Uint8Array(n).fill(n)),
      ),
    }),
    { maxLength: 40 },
  )
  .map((given) => {
    const frames: Frame[] = [
      { seq: 0, timeUs: 0, kind: "session.start", stream: 0, data: encodeSessionStart(facts) },
    ];
    let timeUs = 0;
    for (const { kind, stream, stepUs, data } of given) {
      timeUs += stepUs;
      frames.push({ seq: frames.length, timeUs, kind, stream, data });
    }
    const end = encodeSessionEnd({ reason: "client" });
    frames.push({ seq: frames.length, timeUs, kind: "session.end", stream: 0, data: end });
    return frames;
  });

test("what was written is read again, sealed or raw, and verifies", async () => {
  await fc.assert(
    fc.asyncProperty(
      anyFrames,
      fc.integer({ min: 1, max: 9 }),
      fc.nat(),
      async (frames, perSegment, rawMask) => {
        const raw = (n: number) => ((rawMask >> (n % 16)) & 1) === 1;
        const sample = await sampleRecording({ seed: rawMask, frames, perSegment, raw });
        const { frames: read, recording } = await readAll(sample);
        assert.deepEqual(plain(read), plain(frames));
        assert.equal(recording.signature, "valid");
        assert.deepEqual(recording.withheld, []);
        const verdict = await verifyRecording(memorySource(sample.objects), {
          openers: [sample.opener],
          zstd: nodeZstd,
          trustedKeys: [sample.signer.publicKey],
        });
        assert.deepEqual(verdict.findings, []);
        assert.equal(verdict.decrypted.frames, frames.length);
      },
    ),
    { numRuns: 40 },
  );
});

test("the decoder in JavaScript reads the same as Node's", async () => {
  const text = new TextEncoder().encode(
    "drwxr-xr-x 2 root root 4096 \u001b[1;34mbin\u001b[0m\r\n".repeat(20_000),
  );
  const frames = sampleWithOutput(text);
  const sample = await sampleRecording({ seed: 1, frames, perSegment: 3 });
  assert.ok((sample.objects.get("000000.seg")?.length ?? 0) < text.length / 5, "it was compressed");
  const script = await readAll(sample, {}, sample.opener, scriptZstd);
  assert.deepEqual(plain(script.frames), plain(frames));
});

test("data that does not shrink is stored as it is", async () => {
  const noise = crypto.getRandomValues(new Uint8Array(65_536));
  const loud = new Uint8Array(4 * 65_536);
  for (let i = 0; i < 4; i++) loud.set(crypto.getRandomValues(noise), i * 65_536);
  const frames = sampleWithOutput(loud);
  const sample = await sampleRecording({ seed: 1, frames, perSegment: 3 });
  assert.ok((sample.objects.get("000000.seg")?.length ?? 0) > loud.length);
  assert.deepEqual(plain((await readAll(sample)).frames), plain(frames));
});

function sampleWithOutput(data: Uint8Array): Frame[] {
  return [
    { seq: 0, timeUs: 0, kind: "session.start", stream: 0, data: encodeSessionStart(facts) },
    { seq: 1, timeUs: 10, kind: "output", stream: 0, data },
    { seq: 2, timeUs: 20, kind: "session.end", stream: 0, data: encodeSessionEnd({ reason: "client" }) },
  ];
}

test("without the input lane's key the rest is read, and what is withheld is said", async () => {
  const sample = await sampleRecording({ seed: 5, raw: (n) => n === 1 });
  const { frames, recording } = await readAll(sample, {}, sample.mainOpener);
  assert.deepEqual(plain(frames), plain(sample.frames.filter((frame) => laneOf(frame.kind) === "main")));
  assert.deepEqual(recording.withheld, ["input"]);
  const verdict = await verifyRecording(memorySource(sample.objects), { openers: [sample.mainOpener] });
  assert.deepEqual(verdict.findings, []);
  assert.deepEqual(verdict.decrypted.withheld, ["input"]);
});

test("a filter reads only the segments that overlap", async () => {
  const sample = await sampleRecording({ seed: 5 });
  const reads: string[] = [];
  const source = memorySource(sample.objects);
  const recording = await openRecording({
    source: {
      ...source,
      read: (name, bytesMax) => {
        reads.push(name);
        return source.read(name, bytesMax);
      },
    },
    openers: [sample.opener],
    zstd: nodeZstd,
  });
  const frames: Frame[] = [];
  const span = { fromTimeUs: 5 * 1500, toTimeUs: 6 * 1500 };
  for await (const frame of recording.frames({ ...span, kinds: ["output"], streams: [0] }))
    frames.push(frame);
  assert.deepEqual(
    frames.map((frame) => frame.seq),
    [6],
  );
  assert.deepEqual(reads, [manifestName, "000001.seg"]);
  assert.deepEqual(
    recording.segmentsIn(span)?.map((segment) => segment.n),
    [1],
  );
});

test("a recording that is not closed is read as far as it goes", async () => {
  const sample = await sampleRecording({ seed: 5 });
  sample.objects.delete(manifestName);
  sample.objects.delete("000003.seg");
  const { frames, recording } = await readAll(sample);
  assert.deepEqual(plain(frames), plain(sample.frames.slice(0, 12)));
  assert.equal(recording.manifest, undefined);
  assert.deepEqual(recording.facts, sample.facts);
});

test("a segment that is not the listed one is refused", async () => {
  const sample = await sampleRecording({ seed: 5 });
  sample.objects.set("000001.seg", sample.objects.get("000002.seg") as Uint8Array);
  await assert.rejects(readAll(sample), { code: "corrupt" });
});

test("nothing there is not found", async () => {
  const source = memorySource(new Map());
  await assert.rejects(openRecording({ source, openers: [], zstd: nodeZstd }), { code: "not_found" });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { GatehouseError } from "@gatehouse/kernel";
import { canonicalBytes } from "./canonical-json.ts";
import type { Frame } from "./frame.ts";
import { manifestName, parseManifest, type RecordingBreak, signManifest } from "./manifest.ts";
import { nodeSignerFromSeed, nodeZstd } from "./node/mod.ts";
import { buildRawSegment, sealSegment } from "./segment-writer.ts";
import { asJson } from "./shape.ts";
import { memorySource, type RecordingSource } from "./source.ts";
import { facts } from "./testing/facts.ts";
import {
  recordsOfFrames,
  type Sample,
  sampleFrames,
  sampleRecording,
  sealersOf,
  seededCrypto,
} from "./testing/sample-recording.ts";
import { encodeSessionStart } from "./tracks/session-payloads.ts";
import { verifyRecording, type VerifyOptions } from "./verify.ts";
import type { FindingCode } from "./verify-findings.ts";

const otherId = "0199c0de-0000-7000-8000-00000000000f";
const sample = await sampleRecording({ seed: 11 });
const other = await sampleRecording({ seed: 12, sessionId: otherId });
/** Two segments, for the tests that go through every byte. */
const tiny = await sampleRecording({ seed: 13, frames: sampleFrames(facts, 1), perSegment: 2 });
const trusting: VerifyOptions = { trustedKeys: [sample.signer.publicKey] };
const opening: VerifyOptions = { ...trusting, openers: [sample.opener], zstd: nodeZstd };

type Objects = Map<string, Uint8Array>;
const copy = (from: Sample = sample): Objects => new Map(from.objects);
const object = (name: string, from: Sample = sample) => from.objects.get(name) as Uint8Array;

/** Each finding as `code` or `code@segment`. */
async function namesOf(objects: Objects, options: VerifyOptions = trusting): Promise<string[]> {
  const { findings, ok } = await verifyRecording(memorySource(objects), options);
  assert.equal(ok, findings.length === 0);
  return findings.map(({ code, segment }) => (segment === undefined ? code : `${code}@${segment}`));
}

async function named(objects: Objects, expected: string[], options: VerifyOptions = trusting): Promise<void> {
  assert.deepEqual(await namesOf(objects, options), expected);
}

test("a good recording has no findings, with keys and without", async () => {
  const verdict = await verifyRecording(memorySource(copy()), trusting);
  assert.deepEqual(verdict.findings, []);
  assert.ok(verdict.ok);
  assert.equal(verdict.state, "complete");
  assert.equal(verdict.frames, 22);
  assert.equal(verdict.segments, 6);
  assert.equal(verdict.headSha256, sample.manifest.headSha256);
  assert.equal(verdict.signer?.trusted, true);
  assert.deepEqual(verdict.facts, sample.facts);
  assert.deepEqual(verdict.decrypted, { frames: 0, unknown: 0, withheld: undefined });
  const opened = await verifyRecording(memorySource(copy()), opening);
  assert.deepEqual(opened.findings, []);
  assert.deepEqual(opened.decrypted, { frames: 22, unknown: 0, withheld: [] });
});

test("a missing segment", async () => {
  const objects = copy();
  objects.delete("000002.seg");
  await named(objects, ["segment_missing@2"]);
  await named(objects, ["segment_missing@2"], opening);
  objects.delete(manifestName);
  await named(objects, ["manifest_missing", "segment_missing@2"]);
});

test("a missing last segment", async () => {
  const objects = copy();
  objects.delete("000005.seg");
  await named(objects, ["segment_missing@5"]);
});

test("an altered segment, each byte of it", async () => {
  const bytes = object("000001.seg", tiny);
  const without = copy(tiny);
  without.delete(manifestName);
  for (let at = 0; at < bytes.length; at++) {
    const altered = bytes.slice();
    altered[at] = (altered[at] as number) ^ (1 << (at % 8));
    await named(copy(tiny).set("000001.seg", altered), ["segment_altered@1"]);
    // Without a manifest the signature is the judge; a broken header may also read as no segment, or as a cut one.
    const names = await namesOf(new Map(without).set("000001.seg", altered));
    assert.equal(names[0], "manifest_missing");
    assert.match(names[1] ?? "", /^segment_(altered|malformed|truncated)@1$/, `byte ${at}`);
  }
});

test("a truncated segment, at each byte", async () => {
  const bytes = object("000001.seg", tiny);
  const without = copy(tiny);
  without.delete(manifestName);
  for (let length = 0; length < bytes.length; length++) {
    const cut = bytes.subarray(0, length);
    await named(copy(tiny).set("000001.seg", cut), ["segment_truncated@1"]);
    await named(new Map(without).set("000001.seg", cut), ["manifest_missing", "segment_truncated@1"]);
  }
});

test("bytes after the end of a segment", async () => {
  const longer = new Uint8Array([...object("000001.seg"), 0]);
  await named(copy().set("000001.seg", longer), ["segment_altered@1"]);
});

test("two segments that changed places", async () => {
  const objects = copy();
  objects.set("000001.seg", object("000002.seg")).set("000002.seg", object("000001.seg"));
  const both = ["segment_reordered@1", "segment_reordered@2"];
  await named(objects, both);
  objects.delete(manifestName);
  await named(objects, ["manifest_missing", ...both]);
});

test("a segment that stands twice", async () => {
  await named(copy().set("000002.seg", object("000001.seg")), ["segment_duplicated@2"]);
  await named(copy().set("000006.seg", object("000001.seg")), ["segment_duplicated"]);
  await named(copy().set("copy.seg", object("000001.seg")), ["segment_duplicated"]);
  const open = copy().set("copy.seg", object("000001.seg"));
  open.delete(manifestName);
  await named(open, ["manifest_missing", "segment_duplicated"]);
});

test("another recording's segment", async () => {
  const foreign = object("000001.seg", other);
  await named(copy().set("000001.seg", foreign), ["segment_foreign@1"]);
  await named(copy().set("000006.seg", foreign), ["segment_foreign"]);
  const open = copy().set("000001.seg", foreign);
  open.delete(manifestName);
  await named(open, ["manifest_missing", "segment_foreign@1"]);
});

test("an object that is no segment", async () => {
  await named(copy().set("notes.seg", new Uint8Array(9)), ["segment_malformed"]);
});

test("another recording's manifest", async () => {
  const objects = copy().set(manifestName, object(manifestName, other));
  const names = await namesOf(objects);
  assert.ok(names.includes("manifest_foreign"), names.join());
  const expected = { ...trusting, expected: { recordingId: facts.sessionId } };
  assert.ok((await namesOf(copy(other), expected)).includes("manifest_foreign"));
});

test("an old manifest, with what came after it present or removed", async () => {
  const old = await signManifest(
    {
      ...pick(sample),
      state: "interrupted",
      segments: sample.manifest.segments.slice(0, 4),
      end: { ...sample.manifest.end, lastTimeUs: sample.manifest.segments[3]?.lastTimeUs ?? 0 },
    },
    sample.signer,
  );
  const objects = copy().set(manifestName, old.bytes);
  await named(objects, ["manifest_replayed", "manifest_replayed"]);
  objects.delete("000004.seg");
  objects.delete("000005.seg");
  await named(objects, []);
  const expected = { ...trusting, expected: { headSha256: sample.manifest.headSha256 } };
  await named(objects, ["manifest_replayed"], expected);
  await named(copy(), [], expected);
});

test("a manifest altered in each byte", async () => {
  const bytes = object(manifestName);
  for (let at = 0; at < bytes.length; at++) {
    const altered = bytes.slice();
    altered[at] = (altered[at] as number) ^ (1 << (at % 7));
    const [first] = await namesOf(new Map([[manifestName, altered]]));
    assert.match(first ?? "", /^manifest_(altered|malformed)$/, `byte ${at}`);
  }
});

test("a manifest cut short, or with white space, or with a field twice, is malformed", async () => {
  const text = new TextDecoder().decode(object(manifestName));
  for (const bad of [
    text.slice(0, -1),
    `${text}\n`,
    text.replace("{", '{"bytes":1,'),
    text.replace("{", '{"x":1,'),
  ])
    assert.deepEqual(
      (await namesOf(copy().set(manifestName, new TextEncoder().encode(bad))))[0],
      "manifest_malformed",
    );
});

test("the wrong signer", async () => {
  const stranger = { trustedKeys: [nodeSignerFromSeed(new Uint8Array(32).fill(9)).publicKey] };
  const names = await namesOf(copy(), stranger);
  assert.deepEqual(new Set(names.map((name) => name.split("@")[0])), new Set(["wrong_signer"]));
  assert.equal(names.length, 7);
  // Without trusted keys, one segment signed by somebody else than the rest is still seen.
  const forger = nodeSignerFromSeed(new Uint8Array(32).fill(9));
  const forged = await resign(forger);
  await named(forged, ["wrong_signer@0"], {});
});

async function resign(forger: ReturnType<typeof nodeSignerFromSeed>): Promise<Objects> {
  const crypto = seededCrypto(3);
  const first = await sealSegment({
    place: { recordingId: facts.sessionId, n: 0, opening: { facts, keys: sample.manifest.keys } },
    frames: sample.frames,
    sealers: sealersOf(facts.sessionId, sample.keys, crypto),
    signer: forger,
    crypto,
  });
  const { bytes } = await signManifest({ ...pick(sample), segments: [first.entry] }, sample.signer);
  return new Map([
    [manifestName, bytes],
    ["000000.seg", first.bytes],
  ]);
}

test("an unsigned manifest and an unsigned segment", async () => {
  const manifest = parseManifest(object(manifestName));
  const unsigned = canonicalBytes(asJson({ ...manifest, signature: "" }));
  await named(copy().set(manifestName, unsigned), ["manifest_unsigned"]);
  const bytes = object("000005.seg");
  const stripped = bytes.slice(0, bytes.length - 96);
  stripped[stripped.length - 1] = 0;
  const objects = copy().set("000005.seg", stripped);
  await named(objects, ["segment_altered@5"]);
  objects.delete(manifestName);
  await named(objects, ["manifest_missing", "segment_unsigned@5"]);
});

test("no manifest, and nothing at all", async () => {
  const objects = copy();
  objects.delete(manifestName);
  await named(objects, ["manifest_missing"], opening);
  const verdict = await verifyRecording(memorySource(objects), opening);
  assert.equal(verdict.state, "open");
  assert.deepEqual(verdict.facts, facts);
  assert.equal(verdict.decrypted.frames, 22);
  await named(new Map(), ["manifest_missing"]);
});

/** A recording by a gateway that signs what is wrong: the chain and the signatures are all in order. */
async function lying(
  cuts: readonly (readonly Frame[])[],
  options: { chain?: (n: number) => Uint8Array; raw?: boolean; state?: "interrupted"; frames?: number } = {},
): Promise<Objects> {
  const crypto = seededCrypto(4);
  const sealers = sealersOf(facts.sessionId, sample.keys, crypto);
  const objects: Objects = new Map();
  const segments = [];
  let previous = new Uint8Array(32) as Uint8Array;
  for (const [n, frames] of cuts.entries()) {
    const recordingId = facts.sessionId;
    const place =
      n === 0
        ? { recordingId, n: 0 as const, opening: { facts, keys: sample.manifest.keys } }
        : { recordingId, n, previousSha256: options.chain?.(n) ?? previous };
    const common = { place, signer: sample.signer, crypto };
    const built = options.raw
      ? await buildRawSegment({ ...common, records: recordsOfFrames(sealers, frames) })
      : await sealSegment({ ...common, frames, sealers });
    objects.set(built.entry.name, built.bytes);
    segments.push(built.entry);
    previous = built.sha256;
  }
  const end = { ...sample.manifest.end, lastTimeUs: segments.at(-1)?.lastTimeUs ?? 0 };
  const state = options.state ?? "complete";
  const { bytes } = await signManifest({ ...pick(sample), state, segments, end }, sample.signer);
  return objects.set(manifestName, bytes);
}

function pick({ manifest }: Sample) {
  const { state, end, keys, segments } = manifest;
  return { facts: manifest.facts, state, end, keys, segments };
}

const frames = sampleFrames(facts, 5);
const part = (from: number, to: number) => frames.slice(from, to);

test("a chain that is broken though all is signed", async () => {
  const objects = await lying([part(0, 4), part(4, 8), part(8, 12)], {
    chain: (n) => new Uint8Array(32).fill(n),
  });
  await named(objects, ["chain_broken@1", "chain_broken@2"]);
});

test("what the gateway states as lost is no finding, and what it does not state is", async () => {
  const [, second, third] = sample.segments.map(({ entry }) => entry);
  assert.ok(second && third);
  const { facts, keys, end, segments, state } = sample.manifest;
  const { firstSeq, lastSeq, frames } = second;
  const stating = async (breaks: RecordingBreak[]) => {
    const { bytes } = await signManifest({ facts, keys, end, segments, state, breaks }, sample.signer);
    const objects = new Map(sample.objects).set("manifest.json", bytes);
    objects.delete(second.name);
    return objects;
  };
  const stated = { firstSeq, lastSeq, frames, reason: "a disk" };
  const openers = [sample.opener];
  const good = await verifyRecording(memorySource(await stating([stated])), { openers });
  assert.deepEqual([good.ok, good.breaks], [true, [stated]]);
  const more = await stating([stated]);
  more.delete(third.name);
  const names = async (objects: Map<string, Uint8Array>) =>
    (await verifyRecording(memorySource(objects), { openers })).findings.map(
      ({ code, segment }) => `${code}@${segment}`,
    );
  assert.deepEqual(await names(more), ["segment_missing@2"]);
  assert.deepEqual(await names(await stating([{ ...stated, frames: frames - 1 }])), ["segment_missing@1"]);
  const altered = (await stating([stated])).set(second.name, new Uint8Array(100));
  assert.equal((await names(altered)).length, 1, "a loss that was stated excuses no other bytes");
});

test("frames that are missing between and within segments", async () => {
  await named(await lying([part(0, 4), part(6, 12)]), ["seq_gap@1"], opening);
  const holed = [...part(0, 5), ...part(7, 12)];
  await named(await lying([holed]), ["seq_gap@0"], opening);
  await named(await lying([holed], { raw: true }), ["seq_gap@0"], opening);
});

test("a sequence that goes back, and time that does", async () => {
  await named(await lying([part(0, 6), part(4, 12)]), ["seq_repeated@1", "time_backwards@1"]);
  const early = part(6, 12).map((frame) => Object.assign({}, frame, { timeUs: frame.timeUs - 5_000 }));
  await named(await lying([part(0, 6), early]), ["time_backwards@1"]);
});

test("time that goes back between the lanes of one segment", async () => {
  const crossed = frames.map((frame) => ({ ...frame }));
  const [typed, shown] = [crossed[5] as { timeUs: number }, crossed[6] as { timeUs: number }];
  [typed.timeUs, shown.timeUs] = [shown.timeUs, typed.timeUs];
  // Each lane by itself is in order, so the writer does not object.
  const names = await namesOf(await lying([crossed]), opening);
  assert.deepEqual(names, ["time_backwards@0"]);
});

test("a frame count that is not the sum", async () => {
  const manifest = parseManifest(object(manifestName));
  const changed = canonicalBytes(asJson({ ...manifest, frames: manifest.frames + 1 }));
  const names = await namesOf(copy().set(manifestName, changed));
  assert.deepEqual(names, ["manifest_altered", "frame_count"]);
});

test("a complete recording without its first or last words", async () => {
  await named(await lying([part(0, 11)]), ["end_missing"], opening);
  await named(await lying([part(0, 11)], { state: "interrupted" }), [], opening);
  const silent = frames.map((frame) => (frame.seq === 0 ? { ...frame, kind: "notice" as const } : frame));
  await named(await lying([silent]), ["end_missing"], opening);
});

test("facts that are not the session's own", async () => {
  const start = encodeSessionStart({ ...facts, login: "nobody" });
  const changed = frames.map((frame) => (frame.seq === 0 ? { ...frame, data: start } : frame));
  await named(await lying([changed]), ["manifest_inconsistent"], opening);
});

test("a block under another key, and keys of another recording", async () => {
  const crypto = seededCrypto(4);
  const wrong = { main: crypto.random(32), input: crypto.random(32) };
  const first = await sealSegment({
    place: { recordingId: facts.sessionId, n: 0, opening: { facts, keys: sample.manifest.keys } },
    frames,
    sealers: sealersOf(facts.sessionId, wrong, crypto),
    signer: sample.signer,
    crypto,
  });
  const end = { ...sample.manifest.end, lastTimeUs: first.entry.lastTimeUs };
  const { bytes } = await signManifest({ ...pick(sample), segments: [first.entry], end }, sample.signer);
  const objects: Objects = new Map([
    [manifestName, bytes],
    ["000000.seg", first.bytes],
  ]);
  await named(objects, [], trusting);
  await named(objects, ["undecryptable@0"], opening);
  const swapped = await sampleRecording({ seed: 11, content: { keys: other.manifest.keys } });
  const names = await namesOf(new Map(swapped.objects), opening);
  assert.deepEqual(names.slice(0, 2), ["manifest_inconsistent", "key_unusable"]);
});

test("any one change to a recording of sealed and raw segments is detected and named", async () => {
  const mixed = await sampleRecording({ seed: 21, raw: (n) => n % 2 === 1 });
  const names = [...mixed.objects.keys()];
  const segmentNames = names.filter((name) => name !== manifestName);
  const anyName = fc.constantFrom(...names);
  const anySegment = fc.constantFrom(...segmentNames);
  const change = fc.oneof(
    fc.record({ op: fc.constant("flip" as const), name: anyName, at: fc.nat(), bit: fc.nat(7) }),
    fc.record({ op: fc.constant("truncate" as const), name: anyName, at: fc.nat() }),
    fc.record({ op: fc.constant("drop" as const), name: anyName }),
    fc.record({ op: fc.constant("duplicate" as const), name: anySegment, over: anySegment }),
    fc.record({ op: fc.constant("swap" as const), name: anySegment, over: anySegment }),
    fc.record({ op: fc.constant("foreign" as const), name: anyName }),
    fc.record({ op: fc.constant("replay" as const), kept: fc.integer({ min: 1, max: names.length - 2 }) }),
  );
  await fc.assert(
    fc.asyncProperty(change, async (given) => {
      const objects = copy(mixed);
      const bytesOf = (name: string) => objects.get(name) as Uint8Array;
      const ofManifest = "name" in given && given.name === manifestName;
      let expected: RegExp;
      switch (given.op) {
        case "flip": {
          const bytes = bytesOf(given.name).slice();
          const at = given.at % bytes.length;
          bytes[at] = (bytes[at] as number) ^ (1 << given.bit);
          objects.set(given.name, bytes);
          expected = ofManifest ? /^manifest_(altered|malformed)$/ : /^segment_altered@/;
          break;
        }
        case "truncate": {
          const bytes = bytesOf(given.name);
          objects.set(given.name, bytes.subarray(0, given.at % bytes.length));
          expected = ofManifest ? /^manifest_malformed$/ : /^segment_truncated@/;
          break;
        }
        case "drop":
          objects.delete(given.name);
          expected = ofManifest ? /^manifest_missing$/ : /^segment_missing@/;
          break;
        case "duplicate":
          fc.pre(given.name !== given.over);
          objects.set(given.over, bytesOf(given.name));
          expected = /^segment_duplicated@/;
          break;
        case "swap": {
          fc.pre(given.name !== given.over);
          const first = bytesOf(given.name);
          objects.set(given.name, bytesOf(given.over)).set(given.over, first);
          expected = /^segment_reordered@/;
          break;
        }
        case "foreign":
          objects.set(given.name, object(ofManifest ? manifestName : "000001.seg", other));
          expected = ofManifest ? /^manifest_foreign$/ : /^segment_foreign@/;
          break;
        case "replay": {
          const segments = mixed.manifest.segments.slice(0, given.kept);
          const end = { ...mixed.manifest.end, lastTimeUs: segments.at(-1)?.lastTimeUs ?? 0 };
          const old = await signManifest({ ...pick(mixed), segments, end }, mixed.signer);
          objects.set(manifestName, old.bytes);
          expected = /^manifest_replayed$/;
          break;
        }
      }
      const found = await namesOf(objects);
      assert.ok(
        found.some((name) => expected.test(name)),
        `${given.op}: found ${found.join(" ") || "nothing"}`,
      );
    }),
    { numRuns: Number(process.env["FUZZ_RUNS"] ?? 250) },
  );
});

test("a source that cannot be read is a finding, not an exception", async () => {
  const down = new GatehouseError({ code: "unavailable", op: "store.read", message: "the store is away" });
  const broken: RecordingSource = {
    list: () => Promise.resolve([manifestName, "000000.seg"]),
    read: () => Promise.reject(down),
  };
  const verdict = await verifyRecording(broken, trusting);
  assert.deepEqual(
    verdict.findings.map(({ code }): FindingCode => code),
    ["unreadable", "unreadable"],
  );
  const unlisted = await verifyRecording({ ...broken, list: () => Promise.reject(down) });
  assert.deepEqual(
    unlisted.findings.map(({ code }) => code),
    ["unreadable", "manifest_missing"],
  );
});

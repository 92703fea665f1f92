import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { GatehouseError, type Random, TestClock, seededRandom } from "@gatehouse/kernel";
import {
  type FindingCode,
  type RecordingSource,
  manifestName,
  memorySource,
  segmentName,
} from "@gatehouse/recording";
import { signManifest } from "../../../recording/src/manifest.ts";
import { type Sample, sampleRecording } from "../../../recording/src/testing/sample-recording.ts";
import type { AuditRecord } from "../audit/mod.ts";
import type { Directory } from "../directory/mod.ts";
import { temporaryDirectory } from "../directory/testing/temporary.ts";
import { type CheckerOptions, createChecker } from "./checker.ts";
import { coverageOf, createClockWatch } from "./mod.ts";

const day = 24 * 3_600_000;
/** Until when the store locks what lies there; each segment a second longer than the one before. */
const lockedMs = Date.parse("2027-01-01T00:00:00Z");
const idOf = (n: number) => `0199c0de-0000-7000-8000-${String(n).padStart(12, "0")}`;

type World = {
  directory: Directory;
  clock: TestClock;
  objects: Map<string, Map<string, Uint8Array>>;
  audited: AuditRecord[];
  checker: ReturnType<typeof createChecker>;
  options: CheckerOptions;
  coverage(): ReturnType<ReturnType<typeof coverageOf>["coverage"]>;
};

async function world(context: TestContext, change: Partial<CheckerOptions> = {}): Promise<World> {
  const { directory, clock } = await temporaryDirectory(context);
  const sample = await sampleRecording({ seed: 1 });
  const objects = new Map<string, Map<string, Uint8Array>>();
  const audited: AuditRecord[] = [];
  const options: CheckerOptions = {
    sourceOf: ({ sessionId }) => memorySource(objects.get(sessionId) ?? new Map()),
    openers: [sample.opener],
    trustedKeys: [sample.signer.publicKey],
    sessions: directory.sessions,
    checks: directory.recordingChecks,
    locks: {
      store: {
        list: async (prefix, { after = "" } = {}) => {
          const names = objects.get(prefix.split("/").at(-2) ?? "")?.keys() ?? [];
          return [...names]
            .map((name) => prefix + name)
            .filter((key) => key > after)
            .toSorted();
        },
        retention: async (key) => ({
          untilMs: key.endsWith(manifestName) ? lockedMs : lockedMs + Number(key.slice(-10, -4)) * 1000,
          held: false,
        }),
      },
      keeping: directory.recordingKeeping,
    },
    audit: { append: async (record) => void audited.push(record) },
    clock,
    log: { error() {}, warn() {} },
    everyMs: 30 * day,
    bytesPerSecond: 1_000_000,
    ...change,
  };
  const coverage = coverageOf({
    checks: directory.recordingChecks,
    sessions: directory.sessions,
    opensRecordings: options.openers.length > 0,
    checkEvery: "30d",
  });
  return {
    directory,
    clock,
    objects,
    audited,
    options,
    checker: createChecker(options),
    coverage: () => coverage.coverage({}),
  };
}

async function store({ directory, objects }: World, n: number): Promise<Sample> {
  const sessionId = idOf(n);
  const sample = await sampleRecording({ seed: n, sessionId, perSegment: 4 });
  objects.set(sessionId, sample.objects);
  await directory.sessions.insert(sample.facts);
  const { headSha256, frames, bytes } = sample.manifest;
  await directory.sessions.setRecording(sessionId, { state: "stored", headSha256, frames, bytes });
  return sample;
}

/** Moves time on until something is so. */
async function until(clock: TestClock, stepMs: number, so: () => Promise<boolean>): Promise<void> {
  const began = performance.now();
  while (!(await so())) {
    assert.ok(performance.now() - began < 15_000, "it never came about");
    clock.advance(stepMs);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("each recording is verified once it is stored, and again when its time has come", async (context) => {
  const made = await world(context);
  const { directory, clock, checker, coverage } = made;
  const samples = [await store(made, 1), await store(made, 2)];
  await directory.sessions.insert({ ...(samples[0] as Sample).facts, sessionId: idOf(3) });
  assert.deepEqual((await coverage()).recordings, {
    recording: 1,
    waiting: 0,
    verified: 0,
    unchecked: 2,
    faulty: 0,
    expired: 0,
  });
  checker.start();
  await until(clock, 1_000, async () => (await coverage()).recordings.verified === 2);
  await store(made, 4);
  checker.wake();
  await until(clock, 10, async () => (await coverage()).recordings.verified === 3);
  const { opened, sessions, opensRecordings, faults } = await coverage();
  assert.deepEqual([opened, sessions, opensRecordings, faults], [3, 4, true, []]);
  const first = await directory.recordingChecks.of(idOf(1));
  assert.equal(first?.ok, true);

  // It is what the objects themselves say, of which the last segment is locked the longest.
  const segments = [...(made.objects.get(idOf(1))?.keys() ?? [])].filter((name) => name.endsWith(".seg"));
  assert.ok(segments.length > 1);
  const entry = await directory.sessions.byId(idOf(1));
  assert.equal(entry?.lockedUntilMs, lockedMs + (segments.length - 1) * 1000);

  // A month later one of them has been damaged.
  made.objects.get(idOf(2))?.delete(segmentName(1));
  clock.advance(31 * day);
  await until(clock, 10_000, async () => (await coverage()).recordings.faulty === 1);
  await until(clock, 10_000, async () => {
    const again = await directory.recordingChecks.of(idOf(1));
    return (again?.checkedAtMs ?? 0) > (first?.checkedAtMs ?? 0) + 30 * day;
  });
  await checker.stop();
  assert.deepEqual((await coverage()).faults, [
    {
      sessionId: idOf(2),
      state: "corrupt",
      startedAt: "2026-02-10T14:30:00.000Z",
      detail: "segment 1: the segment is absent",
    },
  ]);
  assert.deepEqual(
    made.audited.map(({ event, sessionId, fields }) => [event, sessionId, fields]),
    [["session.recording.corrupted", idOf(2), { detail: "segment 1: the segment is absent" }]],
  );
});

test("without a key hashes, chain and signatures are checked, and it is said that no frame was", async (context) => {
  const made = await world(context, { openers: [] });
  await store(made, 1);
  assert.equal((await made.checker.check(idOf(1)))?.ok, true);
  const { recordings, opened, opensRecordings } = await made.coverage();
  assert.deepEqual([recordings.verified, opened, opensRecordings], [1, 0, false]);
});

test("what a gateway made that was not seen for a day is checked by one of the others, by the head it wrote down", async (context) => {
  const made = await world(context);
  const { directory, clock, objects, audited, options } = made;
  const { settings } = directory;
  const seen = (gatewayId: string) =>
    createClockWatch({ clock, settings, gatewayId, audit: options.audit, log: options.log }).look();
  const lies = async (n: number, gatewayId: string, signerSeed: number, hasHead = true) => {
    const sessionId = idOf(n);
    const sample = await sampleRecording({ seed: n, sessionId, perSegment: 4, signerSeed });
    objects.set(sessionId, sample.objects);
    await directory.sessions.insert({ ...sample.facts, gatewayId });
    const { headSha256 } = sample.manifest;
    await directory.sessions.end(sessionId, {
      state: "closed",
      reason: "closed",
      endedAtMs: clock.nowMs(),
      durationMs: 0,
    });
    await directory.sessions.setRecording(sessionId, { state: "stored", ...(hasHead && { headSha256 }) });
    return sample;
  };
  await lies(1, "one", 7);
  await lies(2, "gone", 8);
  await lies(3, "gone", 8);
  await lies(4, "gone", 8, false);
  await lies(5, "other", 9);
  // Altered by somebody who signs it all anew, which without the head would be whole.
  objects.set(idOf(3), (await sampleRecording({ seed: 30, sessionId: idOf(3), signerSeed: 10 })).objects);
  const reads: string[] = [];
  const checkerOf = (gatewayId: string, trustedKeys = options.trustedKeys) =>
    createChecker({
      ...options,
      trustedKeys,
      among: { gatewayId, settings },
      sourceOf: (facts) => {
        reads.push(`${gatewayId} ${facts.sessionId.slice(-1)}`);
        return options.sourceOf(facts);
      },
    });
  const one = checkerOf("one");
  for (const id of ["one", "gone", "other"]) await seen(id);
  const checked = async (n: number) => (await directory.recordingChecks.of(idOf(n)))?.ok;

  // While all are there, each checks its own.
  one.start();
  await until(clock, 10, async () => (await checked(1)) === true);
  clock.advance(10 * 60_000);
  await one.stop();
  assert.deepEqual(reads.splice(0), ["one 1"]);

  // Of two that look at once, each recording is read by one; and what a gateway that is there made, by that one.
  clock.advance(day + 3_600_000);
  for (const id of ["one", "other"]) await seen(id);
  const other = checkerOf("other", [(await sampleRecording({ seed: 5, signerSeed: 9 })).signer.publicKey]);
  one.start();
  other.start();
  await until(
    clock,
    10,
    async () => (await checked(2)) === true && (await checked(3)) === false && (await checked(5)) === true,
  );
  clock.advance(10 * 60_000);
  await one.stop();
  await other.stop();
  assert.deepEqual(reads.map((line) => line.slice(-1)).toSorted(), ["2", "3", "5"]);
  assert.ok(reads.includes("other 5"), reads.join(", "));
  assert.equal(await checked(4), undefined);
  assert.deepEqual(
    audited.map(({ event, sessionId }) => [event, sessionId]),
    [["session.recording.corrupted", idOf(3)]],
  );

  // A claim keeps others away until it is over.
  clock.advance(60 * day);
  const later = { gatewayId: "other", nowMs: clock.nowMs(), untilMs: clock.nowMs() + 60_000 };
  const due = (gatewayId: string) =>
    directory.recordingChecks.next({
      beforeMs: clock.nowMs() - 30 * day,
      by: { gatewayId, nowMs: clock.nowMs(), goneMs: clock.nowMs() - day, seen: ["one", "other"] },
      except: [idOf(1), idOf(3), idOf(5)],
    });
  assert.equal(await due("one"), idOf(2));
  assert.equal(await directory.recordingChecks.claim(idOf(2), later), true);
  assert.equal(await directory.recordingChecks.claim(idOf(2), { ...later, gatewayId: "one" }), false);
  assert.deepEqual([await due("one"), await due("other")], [undefined, idOf(2)]);
  clock.advance(60_000);
  assert.equal(await due("one"), idOf(2));
});

test("a store that does not answer damages nothing, and keeps no other recording from being checked", async (context) => {
  const down: RecordingSource = {
    list: () =>
      Promise.reject(
        new GatehouseError({ code: "unavailable", op: "store.list", message: "connection refused" }),
      ),
    read: () =>
      Promise.reject(
        new GatehouseError({ code: "unavailable", op: "store.read", message: "connection refused" }),
      ),
  };
  const isDown = new Set([idOf(1)]);
  const stored = new Map<string, Map<string, Uint8Array>>();
  const made = await world(context, {
    sourceOf: ({ sessionId }) =>
      isDown.has(sessionId) ? down : memorySource(stored.get(sessionId) ?? new Map()),
  });
  for (const n of [1, 2]) stored.set(idOf(n), (await store(made, n)).objects);
  made.checker.start();
  await until(made.clock, 1_000, async () => (await made.coverage()).recordings.verified === 1);
  assert.equal((await made.directory.sessions.byId(idOf(1)))?.recordingState, "stored");
  assert.deepEqual(made.audited, []);
  isDown.clear();
  await until(made.clock, 1_000, async () => (await made.coverage()).recordings.verified === 2);
  await made.checker.stop();
});

type Mutation = { what: string; names: readonly FindingCode[]; objects: Map<string, Uint8Array> };

/** One way to spoil a recording, drawn by `random`, and the names that it may be given. */
async function mutated(sample: Sample, random: Random): Promise<Mutation> {
  const below = (n: number) => new DataView(random.bytes(4).buffer).getUint32(0) % n;
  const pick = <T>(from: readonly T[]) => from[below(from.length)] as T;
  const objects = new Map(sample.objects);
  const count = sample.segments.length;
  const name = pick([...objects.keys()]);
  const bytes = objects.get(name) as Uint8Array;
  const isManifest = name === manifestName;
  const ofManifest = ["manifest_malformed", "manifest_altered", "manifest_unsigned", "wrong_signer"] as const;
  switch (below(7)) {
    case 0: {
      const flipped = bytes.slice();
      const at = below(bytes.length);
      flipped[at] = (flipped[at] as number) ^ (1 << below(8));
      objects.set(name, flipped);
      return { what: `a bit of ${name}`, names: isManifest ? ofManifest : ["segment_altered"], objects };
    }
    case 1:
      objects.set(name, bytes.slice(0, below(bytes.length)));
      return {
        what: `the end of ${name}`,
        names: isManifest ? ["manifest_malformed"] : ["segment_truncated"],
        objects,
      };
    case 2:
      objects.delete(name);
      return {
        what: `${name} dropped`,
        names: [isManifest ? "manifest_missing" : "segment_missing"],
        objects,
      };
    case 3: {
      const from = below(count);
      const to = (from + 1 + below(count - 1)) % count;
      objects.set(segmentName(to), sample.segments[from]?.bytes as Uint8Array);
      return { what: `segment ${from} also in the place of ${to}`, names: ["segment_duplicated"], objects };
    }
    case 4: {
      objects.set(segmentName(count + below(5)), sample.segments[below(count)]?.bytes as Uint8Array);
      return { what: "a segment twice", names: ["segment_duplicated"], objects };
    }
    case 5: {
      const one = below(count);
      const other = (one + 1 + below(count - 1)) % count;
      objects.set(segmentName(one), sample.segments[other]?.bytes as Uint8Array);
      objects.set(segmentName(other), sample.segments[one]?.bytes as Uint8Array);
      return { what: `segments ${one} and ${other} swapped`, names: ["segment_reordered"], objects };
    }
    default: {
      // A manifest as the gateway itself might have signed it before the session went on.
      const kept = 1 + below(count - 1);
      const segments = sample.segments.slice(0, kept).map(({ entry }) => entry);
      const { facts, keys, end } = sample.manifest;
      const lastTimeUs = segments.at(-1)?.lastTimeUs ?? 0;
      const old = await signManifest(
        { facts, keys, segments, state: "interrupted", end: { ...end, lastTimeUs } },
        sample.signer,
      );
      objects.set(manifestName, old.bytes);
      const removed = below(2) === 0;
      if (removed) for (let n = kept; n < count; n++) objects.delete(segmentName(n));
      return {
        what: `an old manifest of ${kept} segments, the rest ${removed ? "removed" : "left"}`,
        names: ["manifest_replayed"],
        objects,
      };
    }
  }
}

test("a thousand mutations of stored objects: each is detected, named, and raises the alarm", async (context) => {
  const seed = 20_260_210;
  const random = seededRandom(seed);
  const made = await world(context);
  // Nearly all without a key: to open each recording again takes most of the time, and hashes tell already.
  const sealed = createChecker({ ...made.options, openers: [] });
  const samples = [await store(made, 1), await store(made, 2), await store(made, 3)];
  for (let round = 0; round < 1_000; round++) {
    const n = round % samples.length;
    const sample = samples[n] as Sample;
    const sessionId = sample.facts.sessionId;
    const { what, names, objects } = await mutated(sample, random);
    const told = `seed ${seed}, round ${round}: ${what}`;
    made.objects.set(sessionId, objects);
    await made.directory.sessions.setRecording(sessionId, { state: "stored" });
    const verification = await (round % 20 === 0 ? made.checker : sealed).check(sessionId);
    assert.equal(verification?.ok, false, told);
    const found = new Set(verification.findings.map(({ code }) => code));
    assert.ok(
      names.some((name) => found.has(name)),
      `${told}: named ${[...found].join(", ")}`,
    );
    assert.equal((await made.directory.sessions.byId(sessionId))?.recordingState, "corrupt", told);
    const event = made.audited.at(-1);
    assert.deepEqual([made.audited.length, event?.sessionId], [round + 1, sessionId], told);
    assert.equal(event?.fields?.["detail"], verification.findings[0]?.message, told);
    made.objects.set(sessionId, sample.objects);
    if (round % 100 === 0) {
      assert.equal((await made.checker.check(sessionId))?.ok, true, told);
      assert.equal((await made.directory.sessions.byId(sessionId))?.recordingState, "stored");
    }
  }
});

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { utf8 } from "@gatehouse/kernel";
import {
  type Frame,
  encodeSessionEnd,
  encodeSessionStart,
  manifestName,
  openRecording,
  storeSource,
} from "@gatehouse/recording";
import { indexMaker } from "@gatehouse/recording/index";
import { nodeZstd } from "@gatehouse/recording/node";
import { filterMayHold, filterVersion, trigramsIn } from "@gatehouse/recording/passages";
import { objectPrefix } from "@gatehouse/recording/pipeline";
// oxlint-disable-next-line no-restricted-imports -- the package's own parts for tests
import { MemoryStore } from "../../../recording/src/pipeline/testing/memory-store.ts";
import { facts } from "../../../recording/src/testing/facts.ts";
import { sampleRecording } from "../../../recording/src/testing/sample-recording.ts";
import { temporaryDirectory } from "../directory/testing/temporary.ts";
import { createIndexes, searchKeys, trigramMac } from "./mod.ts";

const keys = searchKeys(new Uint8Array(32).fill(5));
const filter = { version: filterVersion, keyId: keys.id };
const prefix = `${objectPrefix(facts)}/`;

/** Half a minute of a shell that says a good deal. */
function frames(): Frame[] {
  const all: Frame[] = [];
  const add = (kind: Frame["kind"], timeUs: number, data: Uint8Array) =>
    all.push({ seq: all.length, timeUs, kind, stream: 0, data });
  add("session.start", 0, encodeSessionStart(facts));
  for (let i = 0; i < 300; i++) add("output", i * 100_000, utf8(`${i} ${"word ".repeat(30)}\r\n`));
  add("session.end", 30_000_000, encodeSessionEnd({ reason: "client" }));
  return all;
}

type Change = { without?: string; only?: readonly string[]; openers?: "none"; threadMegabytes?: number };

async function stage(context: TestContext, change: Change = {}) {
  const { directory, clock } = await temporaryDirectory(context);
  const sample = await sampleRecording({ seed: 1, frames: frames(), perSegment: 100 });
  const store = new MemoryStore();
  for (const [name, bytes] of sample.objects)
    if (name !== change.without && (change.only?.includes(name) ?? true))
      await store.create(prefix + name, bytes, { retainUntilMs: 0 });
  await directory.sessions.insert(sample.facts);
  const said: string[] = [];
  const say = (message: string) => void said.push(message);
  const begin = (threadMegabytes?: number) => {
    const indexes = createIndexes({
      store,
      trustedKeys: [],
      openers: change.openers === "none" ? [] : [sample.opener],
      sessions: directory.sessions,
      rows: directory.recordingIndexes,
      filters: directory.searchFilters,
      searchKeys: keys,
      ...(threadMegabytes !== undefined && { threadMegabytes }),
      clock,
      log: { info: say, warn: say, error: say },
    });
    context.after(() => indexes.stop());
    return indexes;
  };
  const indexes = begin(change.threadMegabytes);
  const open = () =>
    openRecording({ source: storeSource(store, prefix), openers: [sample.opener], zstd: nodeZstd });
  const stored = () => directory.sessions.setRecording(facts.sessionId, { state: "stored" });
  const names = () => store.list(`${prefix}index-`);
  return { directory, store, indexes, begin, open, stored, names, said, clock, sample };
}

test("a stored recording gets its index, once, and it opens for whoever the recording opens for", async (context) => {
  const { indexes, open, names, directory } = await stage(context);
  assert.equal(await indexes.open(await open()), undefined);
  const made = await indexes.make(facts.sessionId, { anew: false });
  assert.deepEqual([made.name, made.isNew], ["index-0001", true]);
  assert.ok(made.keyframes >= 4, `${made.keyframes} keyframes`);
  assert.deepEqual(await indexes.make(facts.sessionId, { anew: false }), { ...made, isNew: false });
  assert.deepEqual(await names(), [`${prefix}index-0001`]);

  const index = await indexes.open(await open());
  const keyframe = await index?.keyframeAt(20_000_000);
  assert.ok(keyframe && keyframe.timeUs > 14_000_000 && keyframe.timeUs <= 20_000_000);
  const texts: string[] = [];
  for await (const { text } of index?.lines() ?? []) texts.push(text.slice(0, 8));
  assert.ok(texts.includes("0 word w") && texts.includes("299 word"));

  const filterOf = async () => (await directory.searchFilters.of([facts.sessionId])).get(facts.sessionId);
  const bits = await filterOf();
  const mac = trigramMac(keys.filterKey(facts.sessionId, "main"));
  const mayHold = (text: string) =>
    trigramsIn(text).every((one) => filterMayHold(bits?.main ?? new Uint8Array(1), mac(one)));
  assert.deepEqual([mayHold("299 WORD word"), mayHold("something else")], [true, false]);
  assert.equal(bits?.input, undefined, "nothing was typed");

  assert.deepEqual((await indexes.make(facts.sessionId, { anew: true })).name, "index-0002");
  assert.deepEqual(await names(), [`${prefix}index-0001`, `${prefix}index-0002`]);
  // Of another key it is made anew, the index is not; and it goes with the recording.
  await directory.searchFilters.put({
    ...filter,
    keyId: "another",
    sessionId: facts.sessionId,
    madeAtMs: 0,
    main: new Uint8Array(1),
  });
  assert.equal((await indexes.make(facts.sessionId, { anew: false })).isNew, false);
  assert.deepEqual((await filterOf())?.main, bits?.main);
  await directory.recordingKeeping.removed(facts.sessionId, 0);
  assert.equal(await filterOf(), undefined);
  const entry = await directory.recordingIndexes.of(facts.sessionId);
  assert.ok(entry && "name" in entry && entry.name === "index-0002");
});

for (const asked of ["by somebody", "by itself"] as const)
  test(`what is made ${asked} while the recording's time ends goes with it`, async (context) => {
    const { indexes, store, stored, names, directory, said } = await stage(context);
    const end = { state: "closed", endedAtMs: 0, reason: "closed", durationMs: 1 } as const;
    await directory.sessions.end(facts.sessionId, end);
    await directory.recordingKeeping.fill(1);
    await stored();
    const create = store.create.bind(store);
    // Whoever removes it has marked it, and listed what lay there.
    store.create = async (...given) => {
      const marked = { gatewayId: "gateway-1", nowMs: 2, untilMs: 3 };
      assert.ok(await directory.recordingKeeping.expire(facts.sessionId, marked));
      await create(...given);
    };
    if (asked === "by somebody")
      await assert.rejects(indexes.make(facts.sessionId, { anew: false }), { code: "not_found" });
    else {
      indexes.start();
      while (said.length === 0) await setImmediate();
      assert.deepEqual(said, ["a recording was removed while its index was made, which went with it"]);
      const wanted = { maker: indexMaker, filter, except: [] };
      assert.equal(await directory.recordingIndexes.next(wanted), undefined, "and is not tried again");
    }
    assert.deepEqual(await names(), []);
    assert.deepEqual(await directory.searchFilters.of([facts.sessionId]), new Map());
  });

test("it is made by itself when the recording is stored, also where the database has forgotten it", async (context) => {
  const { indexes, store, stored, names, directory } = await stage(context);
  const created = Promise.withResolvers<void>();
  const create = store.create.bind(store);
  store.create = async (...given) => {
    await create(...given);
    created.resolve();
  };
  indexes.start();
  await stored();
  indexes.wake();
  await created.promise;
  await indexes.make(facts.sessionId, { anew: false });
  assert.deepEqual(await names(), [`${prefix}index-0001`]);
  assert.equal(
    await directory.recordingIndexes.next({ maker: indexMaker, filter, except: [] }),
    undefined,
    "there is nothing more to be made",
  );
  assert.equal(
    await directory.recordingIndexes.next({ maker: indexMaker + 1, filter, except: [] }),
    facts.sessionId,
  );
});

test("what cannot be indexed is said once and not tried again; what is not there yet is", async (context) => {
  const live = await stage(context, { without: manifestName });
  await assert.rejects(live.indexes.make(facts.sessionId, { anew: false }), { code: "conflict" });
  const lost = await stage(context, { without: "000001.seg" });
  await assert.rejects(lost.indexes.make(facts.sessionId, { anew: false }), { code: "not_found" });

  const broken = await stage(context);
  const read = broken.store.read.bind(broken.store);
  broken.store.read = async (key, range) => {
    const bytes = (await read(key, range)).slice();
    if (key.endsWith("000001.seg")) bytes[200] = (bytes[200] ?? 0) ^ 1;
    return bytes;
  };
  await assert.rejects(broken.indexes.make(facts.sessionId, { anew: false }), {
    code: "corrupt",
    message: /not the one that the manifest lists/,
  });
  assert.deepEqual(await broken.names(), []);
});

test("a gateway that holds no key makes none and opens none", async (context) => {
  const { indexes } = await stage(context, { openers: "none" });
  await assert.rejects(indexes.make(facts.sessionId, { anew: false }), { code: "denied" });
});

test("a thread that dies and a gateway that stops leave nothing half made, and the next makes it", async (context) => {
  // So little that a thread cannot hold a terminal in it.
  const { indexes, begin, store, names, stored, directory, said } = await stage(context, {
    threadMegabytes: 6,
  });
  await assert.rejects(indexes.make(facts.sessionId, { anew: false }), {
    code: "corrupt",
    message: /memory/,
  });
  indexes.start();
  await stored();
  indexes.wake();
  while (!(await directory.recordingIndexes.of(facts.sessionId))) await setImmediate();
  const noted = await directory.recordingIndexes.of(facts.sessionId);
  assert.match(noted && "fault" in noted ? noted.fault : "", /memory/);
  assert.deepEqual(said, ["an index could not be made"]);
  assert.deepEqual(await names(), []);

  const stopped = begin();
  const read = store.read.bind(store);
  const reading = Promise.withResolvers<void>();
  store.read = async (key, range) => {
    if (key.endsWith("000001.seg")) reading.resolve();
    return await read(key, range);
  };
  const making = stopped.make(facts.sessionId, { anew: false });
  const left = assert.rejects(making, { name: "AbortError" });
  await reading.promise;
  await stopped.stop();
  await left;
  assert.deepEqual(await names(), []);
  assert.equal((await begin().make(facts.sessionId, { anew: true })).name, "index-0001");
});

test("a live recording has an index of what is stored so far, in memory alone, and one of more when there is more", async (context) => {
  const { indexes, open, store, names, sample, clock, said } = await stage(context, { only: ["000000.seg"] });
  const put = async (name: string) => {
    const bytes = sample.objects.get(name);
    assert.ok(bytes, name);
    await store.create(prefix + name, bytes, { retainUntilMs: 0 });
  };
  const linesOf = async () => {
    const lines: [number, string][] = [];
    for await (const { fromUs, text } of (await indexes.open(await open()))?.lines() ?? [])
      lines.push([fromUs, text]);
    return lines;
  };
  assert.equal(await indexes.open(await open(), "made"), undefined);
  assert.equal((await indexes.open(await open()))?.directory.frames, 100);
  await put("000001.seg");
  assert.equal((await indexes.open(await open()))?.directory.frames, 100, "not anew for each who asks");
  clock.advance(120_000);
  const [index, again] = await Promise.all([indexes.open(await open()), indexes.open(await open())]);
  assert.equal(index?.directory.frames, 200);
  assert.equal(again, index, "made once for both");
  const keyframe = await index?.keyframeAt(15_000_000);
  assert.ok(keyframe && keyframe.timeUs > 9_000_000 && keyframe.timeUs <= 15_000_000);

  for (const name of sample.objects.keys())
    if (name.endsWith(".seg") && !["000000.seg", "000001.seg"].includes(name)) await put(name);
  clock.advance(120_000);
  const live = await linesOf();
  assert.ok(live.some(([, text]) => text.startsWith("299 word")));
  assert.deepEqual(await names(), [], "nothing of it is stored");

  await put(manifestName);
  assert.equal(await indexes.open(await open()), undefined, "what is closed has that which is stored");
  await indexes.make(facts.sessionId, { anew: false });
  assert.deepEqual(await linesOf(), live, "each line with its moment, as when it has ended");
  assert.deepEqual(said, []);
});

test("of a live recording that is damaged there is none, and that is said", async (context) => {
  const { indexes, open, store, said } = await stage(context, { without: manifestName });
  const read = store.read.bind(store);
  store.read = async (key, range) =>
    await read(key.endsWith("000001.seg") ? `${prefix}000002.seg` : key, range);
  assert.equal(await indexes.open(await open()), undefined);
  assert.deepEqual(said, ["an index of a live session could not be made"]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { GatehouseError, fromUtf8, seededRandom, utf8 } from "@gatehouse/kernel";
import type { Frame } from "../frame.ts";
import type { GrowingRecording } from "./door.ts";
import { newFacts, testPipeline } from "./testing/kit.ts";
import { MemoryDisk } from "./testing/memory-disk.ts";
import { MemoryStore } from "./testing/memory-store.ts";

async function textOf(frames: AsyncIterable<Frame>): Promise<string[]> {
  const found: string[] = [];
  for await (const { seq, kind, data } of frames) found.push(`${seq} ${kind} ${fromUtf8(data)}`);
  return found;
}
const outputs = (lines: string[]) => lines.filter((line) => / (output|input) /.test(line));

test("a recording is read while it grows: out of memory, the spool and the store, and after its end", async () => {
  const store = new MemoryStore();
  const { pipeline, state } = testPipeline({
    disk: new MemoryDisk(),
    store,
    limits: { segmentBytes: 4 * 1024 },
  });
  await pipeline.recover();
  const facts = newFacts();
  const writer = await pipeline.open(facts);
  const growing = pipeline.growing(facts.sessionId) as GrowingRecording;
  const told: string[] = [];
  let ended = 0;
  growing.follow({
    frames: (frames) => {
      for (const { seq, kind, data } of frames) told.push(`${seq} ${kind} ${fromUtf8(data)}`);
    },
    closed: () => ended++,
  });
  const said: string[] = [];
  const random = seededRandom(11);
  const write = async (count: number) => {
    for (let i = 0; i < count; i++) {
      // Too random to be packed, so that segments fill.
      const text = Buffer.from(random.bytes(96)).toString("base64");
      const kind = i % 5 === 0 ? "input" : "output";
      said.push(`${said.length + 1} ${kind} ${text}`);
      await writer.append(kind, 0, utf8(text));
    }
  };
  const held = Promise.withResolvers<void>();
  store.fault = (call) => (call === "create" ? held.promise : undefined);
  await write(20);
  assert.deepEqual(outputs(await textOf(growing.read(0))), said, "nothing is sealed yet");
  await write(200);
  // Some of it is in the spool, once it is sealed: which is the thread pool's, and has no event of its own.
  while (pipeline.status().shipping.waitingSegments <= 2) await setImmediate();
  assert.deepEqual(outputs(await textOf(growing.read(0))), said);
  assert.deepEqual(await textOf(growing.read(17)), said.slice(16));
  assert.deepEqual(await textOf(growing.read(growing.frames)), []);

  // A reader that is slow reads on while its frames are sealed, shipped and gone from here.
  const slow = growing.read(0);
  const seen: Frame[] = [];
  const step = async () => {
    const { value } = await slow.next();
    if (value) seen.push(value);
    return value !== undefined;
  };
  await step();
  const before = said.length;
  held.resolve();
  await write(200);
  while (await step());
  assert.deepEqual(
    seen.slice(1).map(({ seq, kind, data }) => `${seq} ${kind} ${fromUtf8(data)}`),
    said.slice(0, before),
    "as far as it was when it began",
  );
  await writer.close({ reason: "closed" });
  await state(facts.sessionId, "stored");
  assert.equal(pipeline.growing(facts.sessionId), undefined);
  assert.deepEqual([growing.closed, ended], [true, 1]);
  const whole = await textOf(growing.read(0));
  assert.deepEqual(outputs(whole), said);
  assert.match(whole.at(-1) ?? "", /session\.end \{"reason":"closed"\}$/);
  assert.deepEqual(told, whole.slice(1), "a follower was told of every frame since, in order");
  await pipeline.stop({ deadlineMs: 1000 });
});

test("whoever throws while following is let go, and nothing else changes", async () => {
  const { pipeline, lines } = testPipeline({ disk: new MemoryDisk(), store: new MemoryStore() });
  await pipeline.recover();
  const facts = newFacts();
  const writer = await pipeline.open(facts);
  const growing = pipeline.growing(facts.sessionId) as GrowingRecording;
  let calls = 0;
  growing.follow({
    frames() {
      calls++;
      throw new Error("a follower's own fault");
    },
    closed: () => assert.fail("it was let go"),
  });
  const unfollow = growing.follow({ frames: () => assert.fail("it has left"), closed: () => {} });
  unfollow();
  await writer.append("output", 0, utf8("one"));
  await writer.append("output", 0, utf8("two"));
  await writer.close({ reason: "closed" });
  assert.equal(calls, 1);
  assert.ok(
    lines.some(({ level, fields }) => level === "error" && fields["error"] === "a follower's own fault"),
  );
  await pipeline.stop({ deadlineMs: 1000 });
});

test("what only the store has, and the store does not give, is said to be unavailable", async () => {
  const store = new MemoryStore();
  const { pipeline, clock } = testPipeline({ disk: new MemoryDisk(), store });
  await pipeline.recover();
  const facts = newFacts();
  const writer = await pipeline.open(facts);
  await writer.append("output", 0, utf8("long ago"));
  clock.advance(2_000);
  while (pipeline.status().shipping.waitingSegments > 0 || store.objects.size < 1) await setImmediate();
  const growing = pipeline.growing(facts.sessionId) as GrowingRecording;
  await writer.append("output", 0, utf8("just now"));
  store.read = async () => {
    throw new GatehouseError({ code: "unavailable", op: "test", message: "the store is away" });
  };
  await assert.rejects(textOf(growing.read(0)), {
    code: "recording_unavailable",
    message: /the store is away/,
  });
  assert.deepEqual(await textOf(growing.read(2)), ["2 output just now"], "what is here is here");
  await pipeline.stop({ deadlineMs: 1000 });
});

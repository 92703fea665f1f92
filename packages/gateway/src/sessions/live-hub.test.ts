import assert from "node:assert/strict";
import { test } from "node:test";
import { TestClock, fromUtf8, utf8 } from "@gatehouse/kernel";
import fc from "fast-check";
import { type HubLimits, LiveHub, type Sight } from "./live-hub.ts";
import { MemoryRecording } from "./testing/memory-recording.ts";

const settled = () => new Promise((resolve) => setImmediate(resolve));

function stand(limits: Partial<HubLimits> = {}) {
  const clock = new TestClock();
  const recording = new MemoryRecording(clock);
  let said = 0;
  const say = (count = 1) => {
    for (let i = 0; i < count; i++) recording.append("output", 0, utf8(`line ${said++}`));
  };
  return { clock, recording, say, hub: new LiveHub({ recording, clock, limits }) };
}

/** An observer that takes a sight when told to. */
function observer(hub: LiveHub, fromSeq = 0) {
  const gone = new AbortController();
  const sights = hub.observe(fromSeq, gone.signal);
  const seen: number[] = [];
  const texts: string[] = [];
  const states: Extract<Sight, { what: "now" }>[] = [];
  const state = { done: false };
  const take = async () => {
    const { value, done } = await sights.next();
    if (done) state.done = true;
    else if (value.what === "now") states.push(value);
    else
      for (const { seq, data } of value.frames) {
        seen.push(seq);
        texts.push(fromUtf8(data));
      }
    return !done;
  };
  return {
    seen,
    texts,
    states,
    state,
    take,
    gone,
    all: async () => {
      while (await take());
    },
  };
}
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

test("a late observer is shown what was before, then what comes, each frame once", async () => {
  const { say, recording, hub } = stand();
  say(5);
  const late = observer(hub);
  const all = late.all();
  await settled();
  assert.deepEqual(late.seen, upTo(5));
  assert.equal(late.states.at(-1)?.behindUs, 0);
  say(3);
  await settled();
  assert.deepEqual(
    late.texts,
    upTo(8).map((i) => `line ${i}`),
  );
  const later = observer(hub, 6);
  const rest = later.all();
  say(1);
  recording.close();
  await Promise.all([all, rest]);
  assert.deepEqual(late.seen, upTo(9));
  assert.deepEqual(later.seen, [6, 7, 8]);
  assert.equal(recording.followers, 0, "nobody is left to be told");
});

test("whatever happens while observers take what they like, none misses a frame or is shown one twice", async () => {
  const step = fc.oneof(
    fc.record({ act: fc.constant("say" as const), count: fc.integer({ min: 1, max: 9 }) }),
    fc.record({ act: fc.constant("take" as const), who: fc.nat(2), count: fc.nat(4) }),
    fc.record({ act: fc.constant("join" as const) }),
    fc.record({ act: fc.constant("wait" as const), ms: fc.nat(9_000) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { clock, say, recording, hub } = stand({ queueBytesMax: 40, queueFramesMax: 6 });
      const observers = [observer(hub)];
      /** Of each: what it has asked for is still under way. */
      const busy = new Map<number, Promise<void>>();
      for (const one of steps) {
        if (one.act === "say") say(one.count);
        if (one.act === "wait") clock.advance(one.ms);
        if (one.act === "join" && observers.length < 3) observers.push(observer(hub));
        if (one.act === "take" && observers[one.who]) {
          const taking = busy.get(one.who) ?? Promise.resolve();
          busy.set(
            one.who,
            taking.then(async () => {
              for (let i = 0; i < one.count; i++) await observers[one.who]?.take();
            }),
          );
        }
        await settled();
      }
      say();
      recording.close();
      await Promise.all(busy.values());
      await Promise.all(observers.map((one) => one.all()));
      for (const one of observers) assert.deepEqual(one.seen, upTo(recording.frames));
    }),
  );
});

test("one that takes nothing keeps nobody waiting, is told that it fell behind, and gets every frame in the end", async () => {
  const { clock, say, recording, hub } = stand({ queueBytesMax: 100 });
  say(2);
  const slow = observer(hub);
  const quick = observer(hub);
  const running = quick.all();
  await slow.take();
  clock.advance(3_000);
  say(500);
  await settled();
  assert.equal(quick.seen.length, 502, "whoever takes what comes has it");
  assert.deepEqual(slow.seen, upTo(2));
  await slow.take();
  await slow.take();
  assert.deepEqual(
    slow.states.map(({ resynced, behindUs }) => [resynced, behindUs]),
    [
      [false, 3_000_000],
      [true, 3_000_000],
    ],
  );
  recording.close();
  await Promise.all([slow.all(), running]);
  assert.deepEqual(slow.seen, upTo(502));
});

test("an observer of a session in which nothing happens is told how late it is", async () => {
  const { clock, say, hub } = stand();
  say();
  const idle = observer(hub);
  const running = idle.all();
  await settled();
  for (let i = 0; i < 3; i++) {
    clock.advance(5_000);
    await settled();
  }
  assert.deepEqual(
    idle.states.map(({ elapsedUs }) => elapsedUs),
    [0, 5_000_000, 10_000_000, 15_000_000],
  );
  idle.gone.abort();
  await running;
  assert.ok(idle.state.done);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { fromUtf8, isGatehouseError, type TestClock, utf8 } from "@gatehouse/kernel";
import type { RecordingPipeline } from "./door.ts";
import { newFacts, readBack, testPipeline } from "./testing/kit.ts";
import { MemoryDisk } from "./testing/memory-disk.ts";
import { failure, MemoryStore } from "./testing/memory-store.ts";

const minute = 60_000;
const hour = 60 * minute;
const turn = () => new Promise((resolve) => setImmediate(resolve));
const refused = (error: unknown) => isGatehouseError(error, "recording_unavailable");

/** Lets work that was begun come to its next wait for time. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await turn();
}
async function passes(clock: TestClock, ms: number, stepMs = 10_000): Promise<void> {
  for (let left = ms; left > 0; left -= stepMs) {
    clock.advance(Math.min(left, stepMs));
    await settle();
  }
}

async function started(outageToleranceMs: number) {
  const store = new MemoryStore();
  const calls = { outage: 0, atOnce: 0, atOnceMax: 0 };
  let isDown = false;
  store.fault = async () => {
    if (isDown) {
      calls.outage++;
      throw failure("unavailable", "connection refused");
    }
    calls.atOnceMax = Math.max(calls.atOnceMax, ++calls.atOnce);
    await turn();
    calls.atOnce--;
  };
  const under = testPipeline({
    disk: new MemoryDisk(),
    store,
    limits: { outageToleranceMs, retryMinMs: 500, retryMaxMs: 30_000, segmentAgeMs: 15_000 },
  });
  await under.pipeline.recover();
  await under.pipeline.admissible();
  return { ...under, store, calls, goesDown: () => (isDown = true), comesBack: () => (isDown = false) };
}

async function session(pipeline: RecordingPipeline) {
  const facts = newFacts();
  const writer = await pipeline.open(facts);
  const said: string[] = [];
  return {
    facts,
    said,
    writer,
    async say(words: string) {
      said.push(words);
      await writer.append("output", 0, utf8(words));
    },
  };
}

test("an outage of a day: nothing is lost, nobody is hammered, and all is sent when it is over", async () => {
  const { pipeline, clock, store, state, lines, calls, goesDown, comesBack } = await started(hour);
  const lives = [await session(pipeline), await session(pipeline)];
  const [longest] = lives as [Awaited<ReturnType<typeof session>>];
  goesDown();
  for (let at = 0; at < 24 * 60; at += 10) {
    await longest.say(`minute ${at}\r\n`);
    if (at === 30) {
      // Within what is tolerated.
      const tolerated = await session(pipeline);
      lives.push(tolerated);
      await tolerated.say("opened while the store was down\r\n");
      await tolerated.writer.close({ reason: "closed" });
    }
    if (at === 50) {
      assert.ok((pipeline.status().store.failedForMs ?? 0) > 40 * minute);
      await pipeline.admissible();
    }
    if (at === 70) await assert.rejects(pipeline.open(newFacts()), refused);
    await passes(clock, 10 * minute, 30_000);
    // What was said is compressed on other threads, in their own time, which may be longer than these minutes take.
    while (pipeline.status().shipping.waitingSegments <= at / 10) await turn();
  }
  const { shipping } = pipeline.status();
  assert.ok(shipping.waitingSegments > 140, `${shipping.waitingSegments} segments wait`);
  assert.ok(calls.outage < 2 * 24 * 60 * 3, `${calls.outage} calls in a day`);
  const warnings = lines.filter((line) => line.level !== "info").length;
  assert.ok(warnings < 2 * 24 * 60 + 100, `${warnings} lines in the log`);

  comesBack();
  await passes(clock, 2 * minute);
  await pipeline.admissible();
  for (const { writer } of lives) await writer.close({ reason: "closed" });
  await passes(clock, minute);
  for (const { facts, said } of lives) {
    await state(facts.sessionId, "stored");
    const { frames, verification } = await readBack(store, facts);
    assert.deepEqual([verification.findings, verification.state], [[], "complete"]);
    assert.deepEqual(
      frames.filter((frame) => frame.kind === "output").map((frame) => fromUtf8(frame.data)),
      said,
    );
  }
  assert.deepEqual(pipeline.status().shipping, { waitingSegments: 0, waitingBytes: 0 });
  assert.ok(calls.atOnceMax <= 9, `${calls.atOnceMax} calls at once`);
});

test("without a tolerance the first failure refuses; a store that never answered is not tolerated at all", async () => {
  const { pipeline, clock, goesDown, comesBack } = await started(0);
  goesDown();
  await passes(clock, minute);
  await assert.rejects(pipeline.admissible(), refused);
  comesBack();
  await passes(clock, minute);
  await pipeline.admissible();

  const store = new MemoryStore();
  store.fault = () => {
    throw failure("unavailable", "no such host");
  };
  const never = testPipeline({ disk: new MemoryDisk(), store, limits: { outageToleranceMs: hour } });
  await never.pipeline.recover();
  await assert.rejects(never.pipeline.admissible(), refused);
});

test("one object that cannot be stored keeps nothing else waiting, however long it lasts", async () => {
  const { pipeline, clock, store, state, lines } = await started(0);
  const bad = await session(pipeline);
  await bad.say("unlucky");
  store.fault = (call, key) => {
    if (call === "create" && key.includes(bad.facts.sessionId))
      throw failure("unavailable", "internal error");
  };
  await bad.writer.close({ reason: "closed" });
  for (let at = 0; at < 20; at++) {
    const other = await session(pipeline);
    await other.say(`other ${at}`);
    await other.writer.close({ reason: "closed" });
    await passes(clock, minute);
    await state(other.facts.sessionId, "stored");
  }
  assert.ok(lines.filter((line) => /could not be shipped/.test(line.message)).length < 60);
  store.fault = () => {};
  await passes(clock, minute);
  await state(bad.facts.sessionId, "stored");
});

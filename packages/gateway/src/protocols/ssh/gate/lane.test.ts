import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Lane } from "./lane.ts";

const settled = () => new Promise((resolve) => setImmediate(resolve));

test("entries pass in their order, each when its own frames and all before it are durable", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.option(fc.nat(1000)), { maxLength: 20 }), async (entries) => {
      const passed: number[] = [];
      const lane = new Lane((error) => assert.fail(String(error)));
      const commits = entries.map(() => Promise.withResolvers<void>());
      entries.forEach((order, i) =>
        lane.push(order === null ? undefined : commits[i]?.promise, () => passed.push(i)),
      );
      const durable = new Set(entries.flatMap((order, i) => (order === null ? [i] : [])));
      const sequence = entries
        .flatMap((order, i) => (order === null ? [] : [{ order, i }]))
        .sort((a, b) => a.order - b.order);
      for (const { i } of sequence) {
        commits[i]?.resolve();
        durable.add(i);
        await settled();
        let prefix = 0;
        while (durable.has(prefix)) prefix++;
        assert.deepEqual(
          passed,
          Array.from({ length: prefix }, (_, at) => at),
        );
      }
      assert.equal(passed.length, entries.length);
      assert.ok(lane.clear);
    }),
    { numRuns: 100 },
  );
});

test("after a frame that could not be kept nothing passes, and it is told once", async () => {
  const passed: string[] = [];
  const failures: unknown[] = [];
  const lane = new Lane((error) => failures.push(error));
  const first = Promise.withResolvers<void>();
  lane.push(first.promise, () => passed.push("first"));
  lane.push(Promise.reject(new Error("disk")), () => passed.push("second"));
  lane.push(Promise.reject(new Error("again")), () => passed.push("third"));
  lane.push(undefined, () => passed.push("fourth"));
  first.resolve();
  await settled();
  lane.push(undefined, () => passed.push("fifth"));
  await settled();
  assert.deepEqual(
    passed.filter((name) => name !== "first"),
    [],
  );
  assert.deepEqual(failures.map(String), ["Error: disk"]);
  assert.ok(lane.dead && !lane.clear);
});

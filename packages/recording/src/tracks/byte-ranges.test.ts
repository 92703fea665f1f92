import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ByteRanges, rangesMax } from "./byte-ranges.ts";

test("ranges merge into exactly the bytes that were touched", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(200), fc.nat(20)), { maxLength: 60 }), (reads) => {
      const ranges = new ByteRanges();
      const touched = new Set<number>();
      for (const [start, length] of reads) {
        ranges.add(start, start + length);
        for (let i = start; i < start + length; i++) touched.add(i);
      }
      const listed = ranges.list();
      const covered = listed.flatMap(([a, b]) => Array.from({ length: b - a }, (_, i) => a + i));
      assert.deepEqual(
        covered,
        [...touched].sort((a, b) => a - b),
      );
      for (let i = 1; i < listed.length; i++) assert.ok(listed[i]![0] > listed[i - 1]![1], "no two adjoin");
      assert.ok(ranges.exact);
    }),
  );
});

test("too many ranges close the smallest gap and say so", () => {
  const ranges = new ByteRanges();
  for (let i = 0; i < rangesMax; i++) ranges.add(i * 100, i * 100 + 10);
  assert.ok(ranges.exact);
  ranges.add(1_000_000, 1_000_001);
  assert.equal(ranges.list().length, rangesMax);
  assert.equal(ranges.exact, false);
  assert.deepEqual(ranges.list()[0], [0, 110]);
});

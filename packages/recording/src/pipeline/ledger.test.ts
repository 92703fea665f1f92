import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { concatBytes } from "@gatehouse/kernel";
import type { SegmentEntry } from "../manifest.ts";
import { facts } from "../testing/facts.ts";
import { openingLine, readLedger, segmentLine } from "./ledger.ts";

const opening = { facts, keys: { main: [], input: [] } };
const entry = (n: number): SegmentEntry => ({
  n,
  name: `00000${n}.seg`,
  bytes: 100,
  sha256: "ab".repeat(32),
  type: "sealed",
  frames: 1,
  firstSeq: n,
  lastSeq: n,
  firstTimeUs: n,
  lastTimeUs: n,
});
const lines = [openingLine(opening), segmentLine(entry(0)), segmentLine(entry(1)), segmentLine(entry(2))];
const whole = concatBytes(lines);

test("a ledger says again what was written in it", () => {
  const read = readLedger(whole);
  assert.deepEqual(read.opening, opening);
  assert.deepEqual(read.entries, [entry(0), entry(1), entry(2)]);
  assert.equal(read.damage, undefined);
  assert.equal(read.bytes, whole.length);
});

test("cut short anywhere it keeps its whole lines, and that is no damage", () => {
  for (let length = 0; length < whole.length; length++) {
    const read = readLedger(whole.subarray(0, length));
    assert.equal(read.damage, undefined);
    assert.deepEqual(read.entries, [entry(0), entry(1), entry(2)].slice(0, read.entries.length));
    const at = lines.slice(0, read.opening ? read.entries.length + 1 : 0);
    assert.equal(read.bytes, concatBytes(at).length);
  }
});

test("a flipped bit is damage, or makes the last line one that was cut short", () => {
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.nat(7), (at, bit) => {
      const bytes = whole.slice();
      bytes[at] = (bytes[at] as number) ^ (1 << bit);
      const read = readLedger(bytes);
      const lastLine = whole.length - (lines.at(-1) as Uint8Array).length;
      if (at < lastLine) assert.ok(read.damage !== undefined);
      assert.deepEqual(read.entries, [entry(0), entry(1), entry(2)].slice(0, read.entries.length));
      assert.ok(read.entries.length < 3);
    }),
    // The end of the line before the last: what follows it looks like one line with a wrong sum.
    {
      examples: [0, 3, 7].map((bit): [number, number] => [
        whole.length - (lines.at(-1) as Uint8Array).length - 1,
        bit,
      ]),
    },
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  bytes,
  clockTime,
  duration,
  localTime,
  momentText,
  parseMoment,
  preciseTime,
  shortened,
  spanWords,
} from "./format.ts";

test("durations have two units at most", () => {
  const cases: [number, string][] = [
    [0, "0.0s"],
    [400, "0.4s"],
    [12_900, "12s"],
    [187_000, "3m 07s"],
    [3_840_000, "1h 04m"],
    [86_400_000 * 3, "3d 00h"],
  ];
  for (const [ms, text] of cases) assert.equal(duration(ms), text);
});

test("moments of a recording read like a player's clock", () => {
  assert.equal(clockTime(249_000_000), "04:09");
  assert.equal(clockTime(3_849_000_000), "1:04:09");
  assert.equal(preciseTime(249_057_000), "04:09.05");
});

test("sizes keep three figures", () => {
  assert.deepEqual(
    [bytes(612), bytes(1024), bytes(1_482_113), bytes(33 * 1024 ** 3)],
    ["612 B", "1.0 KB", "1.4 MB", "33.0 GB"],
  );
});

test("what is long keeps both ends", () => {
  assert.equal(shortened("0123456789abcdef"), "01234567…cdef");
  assert.equal(shortened("short"), "short");
});

test("today has no date", () => {
  const now = new Date(2026, 10, 23, 12).getTime();
  assert.equal(localTime(new Date(2026, 10, 23, 9, 5, 4).toISOString(), now), "09:05:04");
  assert.match(localTime(new Date(2026, 10, 22, 9, 5, 4).toISOString(), now), /22.* 09:05:04$/);
});

test("a moment in the address comes back as it was, to a tenth of a second", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10_000_000 }), (tenths) => {
      assert.equal(parseMoment(momentText(tenths * 100_000)), tenths * 100_000);
    }),
  );
  assert.equal(parseMoment("1h2m3s"), 3_723_000_000);
  assert.equal(parseMoment("90"), 90_000_000);
  assert.equal(parseMoment("soon"), undefined);
  assert.equal(parseMoment(""), undefined);
});

test("how long something shall hold is said in the largest unit that fits", () => {
  assert.deepEqual([1, 45, 60, 90, 480, 1440, 20_160].map(spanWords), [
    "1 minute",
    "45 minutes",
    "1 hour",
    "1 h 30 min",
    "8 hours",
    "1 day",
    "14 days",
  ]);
});

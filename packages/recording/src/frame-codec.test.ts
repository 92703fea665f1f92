import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex, utf8 } from "@gatehouse/kernel";
import type { Frame } from "./frame.ts";
import { encodeFrames, FrameCursor } from "./frame-codec.ts";

const base = { firstSeq: 10, firstTimeUs: 1_000 };
const frame = (seq: number, timeUs: number, text: string): Frame => ({
  seq,
  timeUs,
  kind: "output",
  stream: 0,
  data: utf8(text),
});

function readAll(bytes: Uint8Array) {
  const cursor = new FrameCursor(bytes, base, "main");
  const all = [];
  for (let next = cursor.next(); next; next = cursor.next()) all.push(next);
  return all;
}

test("a frame is kind, deltas, stream, length and data", () => {
  const bytes = encodeFrames(base, [frame(10, 1_000, "a"), { ...frame(12, 1_200, "bc"), stream: 300 }]);
  assert.equal(toHex(bytes), "2000000001612002c801ac02026263");
});

test("numbers beyond 32 bits keep their value", () => {
  const late = frame(2 ** 40, 2 ** 50 + 5, "x");
  assert.deepEqual(readAll(encodeFrames(base, [late])), [late]);
});

test("an unknown kind keeps its place and is told apart", () => {
  const bytes = encodeFrames(base, [frame(10, 1_000, "a"), frame(11, 1_000, "b")]);
  bytes[0] = 0xee;
  const [unknown, known] = readAll(bytes);
  assert.equal(unknown?.kind, undefined);
  assert.equal(unknown && "code" in unknown && unknown.code, 0xee);
  assert.equal(known?.seq, 11);
});

test("broken runs are refused", () => {
  const good = encodeFrames(base, [frame(10, 1_000, "abc"), frame(11, 1_000, "def")]);
  assert.throws(() => readAll(good.subarray(0, good.length - 1)), { code: "corrupt" });
  // A length of 2^40 is refused by the limit, before memory is given to it.
  assert.throws(() => readAll(Uint8Array.of(0x20, 0, 0, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20)), {
    code: "corrupt",
    message: /limit is 16777216/,
  });
  const twice = encodeFrames(base, [frame(10, 1_000, ""), frame(11, 1_000, "")]);
  twice[6] = 0;
  assert.throws(() => readAll(twice), { code: "corrupt", message: /stands twice/ });
  assert.throws(() => new FrameCursor(good, base, "input").next(), {
    code: "corrupt",
    message: /input lane/,
  });
});

test("a writer that gives frames out of order is stopped", () => {
  assert.throws(() => encodeFrames(base, [frame(11, 1_000, ""), frame(11, 1_000, "")]), { code: "internal" });
  assert.throws(() => encodeFrames(base, [frame(11, 999, "")]), { code: "internal" });
  const huge = { ...frame(10, 1_000, ""), data: new Uint8Array(16 * 1024 * 1024 + 1) };
  assert.throws(() => encodeFrames(base, [huge]), { code: "too_large" });
});

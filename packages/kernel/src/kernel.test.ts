import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  ByteReader,
  ByteWriter,
  TestClock,
  checkLimit,
  concatBytes,
  equalBytes,
  fromBase64,
  fromHex,
  fromUtf8,
  isGatehouseError,
  isId,
  newId,
  seededRandom,
  toBase64,
  toHex,
  utf8,
  utf8Chunks,
} from "./mod.ts";

const invalid = (code: "invalid" | "protocol" | "too_large") => (error: unknown) =>
  isGatehouseError(error, code);

test("hex, base64 and UTF-8 give back what they took", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70_000 }), (bytes) => {
      assert.deepEqual(fromHex(toHex(bytes)), bytes);
      assert.deepEqual(fromBase64(toBase64(bytes)), bytes);
    }),
    { numRuns: 50 },
  );
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => assert.equal(fromUtf8(utf8(text)), text)));
});

test("lines go out together, and none is lost", async () => {
  const lines = Array.from({ length: 3_000 }, (_, i) => `line ${i} grün\n`);
  const chunks = await Array.fromAsync(
    utf8Chunks(
      (async function* () {
        yield* lines;
      })(),
    ),
  );
  assert.equal(fromUtf8(concatBytes(chunks)), lines.join(""));
  assert.equal(chunks.length, 2);
});

test("malformed hex, base64 and UTF-8 are typed errors", () => {
  assert.throws(() => fromHex("0"), invalid("invalid"));
  assert.throws(() => fromHex("zz"), invalid("invalid"));
  assert.throws(() => fromBase64("a"), invalid("invalid"));
  assert.throws(() => fromUtf8(Uint8Array.of(0xff)), invalid("invalid"));
});

test("a reader returns what a writer wrote, and a truncated one refuses", () => {
  const item = fc.record(
    {
      small: fc.nat(255),
      word: fc.nat(0xffff),
      long: fc.nat(0xffffffff),
      huge: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      count: fc.maxSafeNat(),
      body: fc.uint8Array({ maxLength: 600 }),
      text: fc.string({ unit: "binary", maxLength: 200 }),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(item, fc.nat(), (value, cut) => {
      const written = new ByteWriter(1)
        .u8(value.small)
        .u16(value.word)
        .u32(value.long)
        .u64(value.huge)
        .varint(value.count)
        .varint(value.body.length)
        .put(value.body)
        .text(value.text)
        .done();
      const read = (bytes: Uint8Array) => {
        const reader = new ByteReader(bytes, "test");
        return {
          small: reader.u8(),
          word: reader.u16(),
          long: reader.u32(),
          huge: reader.u64(),
          count: reader.varint(),
          body: Uint8Array.from(reader.take(reader.varint())),
          text: fromUtf8(reader.take(reader.varint())),
        };
      };
      assert.deepEqual(read(written), value);
      assert.throws(() => read(written.subarray(0, cut % written.length)), invalid("protocol"));
    }),
  );
});

test("a varint has one spelling and 53 bits", () => {
  for (const hex of ["8000", "80808080808080808001", "ffffffffffffffff7f", "ffffffffffffff7f"])
    assert.throws(() => new ByteReader(fromHex(hex), "test").varint(), invalid("protocol"), hex);
});

test("equality looks at every byte", () => {
  assert.equal(equalBytes(utf8("abc"), utf8("abc")), true);
  assert.equal(equalBytes(utf8("abc"), utf8("abd")), false);
  assert.equal(equalBytes(utf8("abc"), utf8("abcd")), false);
});

test("ids sort by time and are recognised", () => {
  const random = seededRandom(1);
  const ids = [0, 1, 65_535, 65_536, Date.UTC(2026, 1, 10), 2 ** 47].map((ms) => newId(ms, random));
  assert.deepEqual([...ids].sort(), ids);
  for (const id of ids) assert.equal(isId(id), true, id);
  assert.equal(isId("../../etc/passwd"), false);
});

test("the test clock runs timers at their own moments, in order", () => {
  const clock = new TestClock(0);
  const seen: string[] = [];
  clock.after(20, () => seen.push(`b@${clock.nowMs()}`));
  clock.after(10, () => {
    seen.push(`a@${clock.nowMs()}`);
    clock.after(5, () => seen.push(`a2@${clock.nowMs()}`));
  });
  clock.after(15, () => seen.push("cancelled")).cancel();
  clock.advance(100);
  assert.deepEqual(seen, ["a@10", "a2@15", "b@20"]);
  assert.equal(clock.nowMs(), 100);
});

test("a limit refuses what is over it, negative or not a number", () => {
  checkLimit("test", "size", 5, 5);
  for (const value of [6, -1, Number.NaN])
    assert.throws(() => checkLimit("test", "size", value, 5), invalid("too_large"));
});

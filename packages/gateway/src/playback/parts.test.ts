import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes } from "@gatehouse/kernel";
import fc from "fast-check";
import { type AskedPart, createParts } from "./parts.ts";

function madeOf(chunks: readonly Uint8Array[]) {
  const whole = {
    times: 0,
    async *make() {
      whole.times++;
      yield* chunks;
    },
  };
  return whole;
}
const bytesOf = async (chunks: AsyncIterable<Uint8Array>) => concatBytes(await Array.fromAsync(chunks));

test("a part is what the whole has there, made once where it fits and twice where it does not", async () => {
  const position = fc.nat({ max: 60 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 12 }), { maxLength: 6 }),
      fc.oneof(
        fc
          .tuple(position, fc.option(position, { nil: undefined }))
          .map(([from, more]): AskedPart => ({ from, to: more === undefined ? undefined : from + more })),
        position.map((last): AskedPart => ({ last })),
      ),
      fc.nat({ max: 40 }),
      async (chunks, asked, keptBytesMax) => {
        const all = concatBytes(chunks);
        const whole = madeOf(chunks);
        const { signal } = new AbortController();
        const part = await createParts({ keptBytesMax, keptMax: 1 }).of(asked, whole.make, { signal });
        const from = "from" in asked ? asked.from : Math.max(0, all.length - asked.last);
        const end = "from" in asked ? Math.min((asked.to ?? 60_000) + 1, all.length) : all.length;
        assert.equal(part.bytes, all.length);
        assert.deepEqual(part.range, from < all.length ? { from, to: end - 1 } : undefined);
        assert.deepEqual(await bytesOf(part.chunks), all.slice(from, end));
        // The chunks at its two ends are kept whole.
        if (end - from + 22 <= keptBytesMax) assert.equal(whole.times, 1);
        if (end - from > keptBytesMax) assert.equal(whole.times, 2);
      },
    ),
    { numRuns: 500, examples: [[[new Uint8Array()], { last: 0 }, 40]] },
  );
});

test("for so many at a time a part is kept, and each that goes makes room", async () => {
  const parts = createParts({ keptBytesMax: 100, keptMax: 1 });
  const take = async (signal: AbortSignal) => {
    const whole = madeOf([new Uint8Array(10), new Uint8Array(10).fill(1)]);
    const { chunks } = await parts.of({ last: 5 }, whole.make, { signal });
    assert.deepEqual(await bytesOf(chunks), new Uint8Array(5).fill(1));
    return whole.times;
  };
  const first = new AbortController();
  const second = new AbortController();
  assert.equal(await take(first.signal), 1);
  assert.equal(await take(second.signal), 2);
  first.abort();
  assert.equal(await take(first.signal), 2, "who has gone already keeps nothing");
  assert.equal(await take(new AbortController().signal), 1);
  second.abort();
  assert.equal(await take(new AbortController().signal), 2, "who had none makes no room");
});

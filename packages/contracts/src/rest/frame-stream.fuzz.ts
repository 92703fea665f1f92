/** Whatever bytes come, a reader of frames ends in frames or in a typed error, and holds no more than they are. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { GatehouseError, concatBytes } from "@gatehouse/kernel";
import fc from "fast-check";
import { decodeFrameStream, encodeStreamEnd, encodeWireFrame } from "./frame-stream.ts";

const numRuns = Number(process.env["FUZZ_RUNS"] ?? 300);

async function read(chunks: readonly Uint8Array[]): Promise<void> {
  async function* all() {
    yield* chunks;
  }
  try {
    for await (const frame of decodeFrameStream(all()))
      assert.ok(frame.data.length <= concatBytes(chunks).length);
  } catch (error) {
    assert.ok(error instanceof GatehouseError, String(error));
    assert.ok(["corrupt", "protocol", "too_large", "invalid"].includes(error.code), error.code);
  }
}

test("any bytes", async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 10 }), read), {
    numRuns,
  });
});

test("a good stream with some bytes changed", async () => {
  const data = new Uint8Array(200).fill(7);
  const good = concatBytes([
    encodeWireFrame({ seq: 0, timeUs: 0, kind: "output", stream: 0, data }),
    encodeWireFrame({ seq: 1, timeUs: 9, kind: "input", stream: 3, data: data.subarray(0, 3) }),
    encodeStreamEnd(),
  ]);
  const changes = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(changes, async (all) => {
      const bytes = good.slice();
      for (const [at, value] of all) bytes[at] = value;
      await read([bytes.subarray(0, 50), bytes.subarray(50)]);
    }),
    { numRuns },
  );
});

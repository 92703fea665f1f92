import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes, isGatehouseError, utf8 } from "@gatehouse/kernel";
import fc from "fast-check";
import { type WireFrame, decodeFrameStream, encodeStreamEnd, encodeWireFrame } from "./frame-stream.ts";

async function* chunked(bytes: Uint8Array, sizes: readonly number[]) {
  let at = 0;
  for (const size of [...sizes, bytes.length]) {
    if (at >= bytes.length) return;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}
async function gather(chunks: AsyncIterable<Uint8Array>): Promise<WireFrame[]> {
  const out: WireFrame[] = [];
  for await (const frame of decodeFrameStream(chunks)) out.push({ ...frame, data: frame.data.slice() });
  return out;
}

const frame = fc.record(
  {
    seq: fc.nat(),
    timeUs: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    kind: fc.constantFrom("output", "session.start", "forward.open", "something-newer"),
    stream: fc.nat(1000),
    data: fc.uint8Array({ maxLength: 300 }),
  },
  { noNullPrototype: true },
);

test("frames come out as they went in, however the bytes are cut into chunks", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(frame, { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 90 })),
      async (frames, sizes) => {
        const bytes = concatBytes([...frames.map(encodeWireFrame), encodeStreamEnd()]);
        assert.deepEqual(await gather(chunked(bytes, sizes)), frames);
      },
    ),
  );
});

test("a stream without its last record was cut, wherever that is", async () => {
  const one: WireFrame = { seq: 1, timeUs: 5, kind: "output", stream: 0, data: utf8("hello") };
  const bytes = concatBytes([encodeWireFrame(one), encodeWireFrame(one), encodeStreamEnd()]);
  for (let length = 0; length < bytes.length; length++)
    await assert.rejects(
      gather(chunked(bytes.subarray(0, length), [7])),
      (error) => isGatehouseError(error, "corrupt") && /cut before its end/.test(error.message),
      `${length} of ${bytes.length} bytes`,
    );
});

test("what the server said when it could not go on is what is thrown", async () => {
  for (const [code, thrown] of [
    ["corrupt", "corrupt"],
    ["denied", "denied"],
    ["something-newer", "corrupt"],
  ] as const) {
    const bytes = encodeStreamEnd({ code, detail: "segment 2 is missing" });
    await assert.rejects(gather(chunked(bytes, [])), {
      code: thrown,
      op: "frame-stream.end",
      message: "segment 2 is missing",
    });
  }
});

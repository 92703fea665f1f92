import assert from "node:assert/strict";
import { test } from "node:test";
import { isGatehouseError, utf8 } from "@gatehouse/kernel";
import { encodeMessage, frontend } from "./messages.ts";
import { MessageSplitter, type Piece, eachBody } from "./splitter.ts";

const known = new Set<number>(Object.values(frontend));
const splitter = (wholeBytesMax = 1024) =>
  new MessageSplitter({
    op: "postgres.test",
    known: (type) => known.has(type),
    whole: (type) => type !== frontend.copyData,
    wholeBytesMax,
    bodyBytesMax: 100_000,
  });

const stream = Buffer.concat([
  encodeMessage(frontend.query, utf8("select 1\0")),
  encodeMessage(frontend.sync),
  encodeMessage(frontend.copyData, new Uint8Array(3000).fill(7)),
  encodeMessage(frontend.terminate),
]);

/** Each message again, whatever pieces it came in. */
function joined(pieces: readonly Piece[]): string[] {
  const out: string[] = [];
  let raw: Uint8Array[] = [];
  for (const piece of pieces) {
    if (piece.first) assert.equal(raw.length, 0);
    raw.push(piece.raw);
    if (!piece.last) continue;
    out.push(`${String.fromCharCode(piece.type)} ${Buffer.concat(raw).toString("hex")}`);
    raw = [];
  }
  assert.equal(raw.length, 0);
  return out;
}

test("a stream split at any byte is the same messages", () => {
  const expected = joined([...splitter().feed(stream)]);
  assert.deepEqual(
    expected.map((line) => line[0]),
    ["Q", "S", "d", "X"],
  );
  for (let cut = 1; cut < stream.length; cut++) {
    const one = splitter();
    const pieces = [...one.feed(stream.subarray(0, cut)), ...one.feed(stream.subarray(cut))];
    assert.deepEqual(joined(pieces), expected, `cut at ${cut}`);
    assert.deepEqual(Buffer.concat(pieces.map((piece) => piece.raw)), stream);
    assert.equal(one.atBoundary, true);
  }
  const slow = splitter();
  const pieces: Piece[] = [];
  for (const byte of stream) pieces.push(...slow.feed(Uint8Array.of(byte)));
  assert.deepEqual(joined(pieces), expected);
});

test("whole messages of one type behind each other are a run, wherever the chunks are cut", () => {
  const data = [1, 2, 3, 4].map((value) => new Uint8Array(value * 3).fill(value));
  const copy = Buffer.concat([
    ...data.map((body) => encodeMessage(frontend.copyData, body)),
    encodeMessage(frontend.copyDone),
  ]);
  const inRuns = () =>
    new MessageSplitter({
      op: "postgres.test",
      known: (type) => known.has(type),
      whole: (type) => type !== frontend.copyData,
      runs: (type) => type === frontend.copyData,
      wholeBytesMax: 1024,
      bodyBytesMax: 10,
    });
  // The last is beyond what may pass in pieces: it is no part of the run, and refused in its turn.
  const before: Piece[] = [];
  assert.throws(
    () => {
      for (const piece of inRuns().feed(copy)) before.push(piece);
    },
    (error) => isGatehouseError(error, "too_large"),
  );
  assert.deepEqual(
    before.map(({ messages, first, last }) => [messages, first, last]),
    [[3, true, true]],
  );
  const allowed = copy.subarray(0, copy.length - 5 - 17);
  for (let cut = 0; cut < allowed.length; cut++) {
    const one = inRuns();
    const pieces = [...one.feed(allowed.subarray(0, cut)), ...one.feed(allowed.subarray(cut))];
    assert.deepEqual(Buffer.concat(pieces.map(({ raw }) => raw)), allowed);
    const bodies: Uint8Array[] = [];
    for (const piece of pieces) eachBody(piece, (body) => bodies.push(body));
    assert.deepEqual(Buffer.concat(bodies), Buffer.concat(data.slice(0, 3)), `cut at ${cut}`);
    assert.equal(
      pieces.reduce((sum, { messages }) => sum + messages, 0),
      3,
    );
  }
});

test("what did not have to be gathered is a view", () => {
  const [query] = [...splitter().feed(stream)];
  assert.equal(query?.raw.buffer, stream.buffer);
});

test("lengths that lie are refused by their header", () => {
  const head = (type: number, length: number) => {
    const bytes = Buffer.alloc(5);
    bytes.writeUInt8(type, 0);
    bytes.writeInt32BE(length, 1);
    return bytes;
  };
  const refused = (bytes: Uint8Array, code: "protocol" | "too_large") => {
    assert.throws(
      () => [...splitter().feed(bytes)],
      (error: unknown) => isGatehouseError(error, code),
    );
    const slow = splitter();
    assert.throws(
      () => {
        for (const byte of bytes) for (const _piece of slow.feed(Uint8Array.of(byte)));
      },
      (error: unknown) => isGatehouseError(error, code),
    );
  };
  refused(head(frontend.query, 3), "protocol");
  refused(head(frontend.query, -1), "protocol");
  refused(head(frontend.query, 2 ** 31 - 1), "too_large");
  refused(head(frontend.copyData, 2 ** 31 - 1), "too_large");
  refused(head(frontend.query, 1024 + 5), "too_large");
  refused(Uint8Array.of(0x7a), "protocol");
});

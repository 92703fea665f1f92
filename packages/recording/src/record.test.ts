import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex, utf8 } from "@gatehouse/kernel";
import type { Frame } from "./frame.ts";
import { LaneSealer } from "./lane-sealer.ts";
import { encodeRecord, readRecordHeader, recordHeaderBytes } from "./record.ts";
import { facts } from "./testing/facts.ts";
import { seededCrypto } from "./testing/sample-recording.ts";

const sealer = () =>
  new LaneSealer({
    recordingId: facts.sessionId,
    lane: "main",
    key: new Uint8Array(32),
    crypto: seededCrypto(1),
  });
const frames: Frame[] = [
  { seq: 4, timeUs: 9, kind: "output", stream: 0, data: utf8("abc") },
  { seq: 6, timeUs: 12, kind: "output", stream: 0, data: utf8("d") },
];

test("a record's header is plain and says what is inside", () => {
  const record = encodeRecord(sealer(), frames);
  const { nonce, ...rest } = readRecordHeader(record);
  assert.deepEqual(rest, {
    recordingId: facts.sessionId,
    lane: "main",
    frames: 2,
    firstSeq: 4,
    lastSeq: 6,
    firstTimeUs: 9,
    lastTimeUs: 12,
    bytes: record.length,
  });
  assert.equal(nonce.length, 12);
  assert.equal(toHex(record.subarray(0, 6)), "474852310000");
  assert.ok(!toHex(record).includes(toHex(utf8("abc"))), "the data is encrypted");
});

test("no two encryptions of one sealer share a nonce, and two sealers differ", () => {
  const own = sealer();
  const nonces = new Set<string>();
  for (let i = 0; i < 1_000; i++) nonces.add(toHex(readRecordHeader(encodeRecord(own, frames)).nonce));
  assert.equal(nonces.size, 1_000);
  const crypto = seededCrypto(2);
  const key = new Uint8Array(32);
  const make = () => new LaneSealer({ recordingId: facts.sessionId, lane: "main", key, crypto });
  assert.notDeepEqual(make().nextNonce(), make().nextNonce());
});

test("what is no record is refused", () => {
  const record = encodeRecord(sealer(), frames);
  assert.throws(() => readRecordHeader(record.subarray(0, recordHeaderBytes - 1)), { code: "protocol" });
  const altered = (at: number, byte: number) => {
    const bytes = record.slice();
    bytes[at] = byte;
    return bytes;
  };
  assert.throws(() => readRecordHeader(altered(0, 0)), { code: "corrupt" });
  assert.throws(() => readRecordHeader(altered(4, 2)), { code: "corrupt" });
  assert.throws(() => readRecordHeader(altered(25, 9)), { code: "corrupt" });
  assert.throws(() => readRecordHeader(altered(58, 0xff)), { code: "too_large" });
});

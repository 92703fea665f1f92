import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { TestClock, concatBytes } from "@gatehouse/kernel";
import type { FrameKind } from "@gatehouse/recording";
import { commandRecords } from "./stream-records.ts";

function records(limitBytes: number, clock = new TestClock()) {
  const frames: { kind: FrameKind; data: Uint8Array }[] = [];
  const session = {
    record: (kind: FrameKind, _stream: number, data: Uint8Array) => {
      frames.push({ kind, data: Uint8Array.from(data) });
      return Promise.resolve();
    },
  };
  const timing = { clock, intervalMs: 5_000, intervalBytes: 1_000 };
  return { frames, clock, ...commandRecords({ session, limitBytes, timing }) };
}
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
type Digest = { of: string; bytes: number; sha256: string; final: boolean };

test("whatever the portions: up to the limit the bytes are kept, beyond it their digest is true", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 400 }), { maxLength: 20 }),
      fc.nat(2_000),
      (portions, limitBytes) => {
        const { frames, fromTarget } = records(limitBytes);
        for (const portion of portions) {
          const beyond = !fromTarget.gathers(0);
          const recorded = fromTarget.record(portion, 0);
          if (!beyond) assert.ok(recorded, "nothing passes unrecorded before the limit");
        }
        void fromTarget.end();
        const all = concatBytes(portions);
        const kept = concatBytes(frames.filter(({ kind }) => kind === "stdout").map(({ data }) => data));
        assert.deepEqual(kept, all.subarray(0, limitBytes));
        const digests = frames
          .filter(({ kind }) => kind === "digest")
          .map(({ data }) => JSON.parse(Buffer.from(data).toString()) as Digest);
        for (const digest of digests) {
          assert.equal(digest.of, "stdout");
          assert.equal(digest.sha256, sha256(all.subarray(0, digest.bytes)));
        }
        if (all.length <= limitBytes) assert.equal(digests.length, 0);
        else {
          assert.equal(digests[0]?.bytes, limitBytes);
          assert.deepEqual([digests.at(-1)?.bytes, digests.at(-1)?.final], [all.length, true]);
        }
        assert.equal(frames.filter(({ kind }) => kind === "eof").length, 1);
      },
    ),
    { numRuns: 200 },
  );
});

test("a digested stream says where it stands by bytes and by time", () => {
  const { frames, clock, fromClient } = records(0);
  const digests = () => frames.filter(({ kind }) => kind === "digest").length;
  assert.ok(fromClient.record(new Uint8Array(10), 0));
  assert.equal(digests(), 1);
  assert.equal(fromClient.record(new Uint8Array(500), 0), undefined);
  assert.ok(fromClient.record(new Uint8Array(500), 0), "a thousand bytes since the last");
  assert.equal(fromClient.record(new Uint8Array(1), 0), undefined);
  clock.advance(5_000);
  assert.ok(fromClient.record(new Uint8Array(1), 0), "five seconds since the last");
  assert.equal(digests(), 3);
});

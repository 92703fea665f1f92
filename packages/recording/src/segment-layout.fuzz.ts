import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isGatehouseError } from "@gatehouse/kernel";
import { nodeZstd } from "./node/mod.ts";
import { decodeOpening } from "./opening.ts";
import { readRecordHeader } from "./record.ts";
import { parseSegment, type SegmentParts } from "./segment-layout.ts";
import { importKeys, openSegment, recordsOf } from "./segment-opener.ts";
import { sampleRecording } from "./testing/sample-recording.ts";
import { decompressBlock, scriptZstd } from "./zstd.ts";

const numRuns = Number(process.env["FUZZ_RUNS"] ?? 300);
const sample = await sampleRecording({ seed: 41, raw: (n) => n % 2 === 1 });
const segments = sample.segments.map((segment) => segment.bytes);
const keys = await importKeys(sample.keys);

const typed = (error: unknown) => {
  assert.ok(isGatehouseError(error), `not ours: ${String(error)}`);
  assert.ok(["corrupt", "protocol", "too_large", "invalid"].includes(error.code), error.code);
};

/** A real segment with a few bytes changed, cut or doubled; or noise behind a real beginning. */
const damaged = fc.oneof(
  fc
    .tuple(
      fc.constantFrom(...segments),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
      fc.nat(),
    )
    .map(([segment, changes, cut]) => {
      const bytes = segment.slice(0, cut % 4 === 0 ? cut % segment.length : segment.length);
      // Headers are where parsers break, so most changes go there.
      for (const [at, value] of changes) bytes[at % (at % 3 === 0 ? bytes.length || 1 : 160)] = value;
      return bytes;
    }),
  fc
    .tuple(fc.constantFrom(...segments), fc.nat(200), fc.uint8Array({ maxLength: 400 }))
    .map(([segment, kept, noise]) => Uint8Array.from([...segment.subarray(0, kept), ...noise])),
);

test("any bytes are a segment or a typed error, and what parses opens or is a typed error", async () => {
  await fc.assert(
    fc.asyncProperty(damaged, async (bytes) => {
      let parts: SegmentParts;
      try {
        parts = parseSegment(bytes);
      } catch (error) {
        typed(error);
        return;
      }
      try {
        if (parts.header.n === 0) decodeOpening(parts.header.opening);
        for (const _ of recordsOf(parts));
        for (const _ of (await openSegment(parts, keys, nodeZstd)).frames());
      } catch (error) {
        typed(error);
      }
    }),
    { numRuns },
  );
});

test("any bytes are a record's header or a typed error", () => {
  const record = [...recordsOf(parseSegment(segments[1] as Uint8Array))][0]?.record as Uint8Array;
  fc.assert(
    fc.property(fc.nat(90), fc.uint8Array({ maxLength: 90 }), (kept, noise) => {
      try {
        readRecordHeader(Uint8Array.from([...record.subarray(0, kept), ...noise]));
      } catch (error) {
        typed(error);
      }
    }),
    { numRuns },
  );
});

test("any bytes are a zstd frame of the stated size or corrupt, with both decoders alike", async () => {
  const { zstdCompressSync } = await import("node:zlib");
  const plain = new Uint8Array(2_000).map((_, i) => i % 40);
  const packed = zstdCompressSync(plain, { pledgedSrcSize: plain.length });
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(packed.length - 1), fc.nat(255)), { maxLength: 3 }), (changes) => {
      const bytes = packed.slice();
      for (const [at, value] of changes) bytes[at] = value;
      for (const zstd of [nodeZstd, scriptZstd])
        try {
          assert.equal(decompressBlock(zstd, bytes, plain.length).length, plain.length);
        } catch (error) {
          typed(error);
        }
    }),
    { numRuns },
  );
});

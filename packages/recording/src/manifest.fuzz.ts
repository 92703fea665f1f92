import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { concatBytes, equalBytes, fromUtf8, isGatehouseError, utf8 } from "@gatehouse/kernel";
import { bytesReader, openBundle, writeBundle } from "./bundle.ts";
import { canonicalBytes } from "./canonical-json.ts";
import { manifestName, manifestSignature, parseManifest } from "./manifest.ts";
import { asJson } from "./shape.ts";
import { memorySource } from "./source.ts";
import { sampleRecording } from "./testing/sample-recording.ts";
import { verifyRecording } from "./verify.ts";

const numRuns = Number(process.env["FUZZ_RUNS"] ?? 300);
const sample = await sampleRecording({ seed: 51 });
const manifest = sample.objects.get(manifestName) as Uint8Array;
const text = fromUtf8(manifest);

const typed = (error: unknown) => {
  assert.ok(isGatehouseError(error), `not ours: ${String(error)}`);
  assert.ok(["corrupt", "protocol", "too_large", "invalid"].includes(error.code), error.code);
};

const isTyped = (error: unknown) => {
  typed(error);
  return true;
};

/** The manifest with one value replaced by any JSON, or some of its text by any text. */
const changed = fc.oneof(
  fc.tuple(fc.nat(), fc.nat(20), fc.string({ maxLength: 20 })).map(([at, length, other]) => {
    const start = at % text.length;
    return utf8(text.slice(0, start) + other + text.slice(start + length));
  }),
  fc.tuple(fc.nat(), fc.json({ maxDepth: 4 })).map(([nth, json]) => {
    const values = [...text.matchAll(/(?<=:)("[^"]*"|\d+)/g)];
    const value = values[nth % values.length] as RegExpExecArray;
    return utf8(text.slice(0, value.index) + json + text.slice(value.index + value[0].length));
  }),
  fc.uint8Array({ maxLength: 100 }),
);

test("any bytes are a manifest in its one form, or a typed error", async () => {
  await fc.assert(
    fc.asyncProperty(changed, async (bytes) => {
      try {
        const parsed = parseManifest(bytes);
        assert.ok(equalBytes(canonicalBytes(asJson(parsed)), bytes));
        const verdict = await manifestSignature(parsed);
        assert.equal(verdict === "valid", equalBytes(bytes, manifest));
      } catch (error) {
        typed(error);
      }
    }),
    { numRuns },
  );
});

test("JSON nested deeper than any stack is refused", () => {
  for (const bytes of [utf8("[".repeat(1_000_000)), utf8('{"a":'.repeat(200_000))])
    assert.throws(() => parseManifest(bytes), isTyped);
  const closed = utf8("[".repeat(100_000) + "]".repeat(100_000));
  assert.throws(() => parseManifest(closed), isTyped);
});
test("any change to a bundle is a typed error, or findings, or harmless", async () => {
  const parts: Uint8Array[] = [];
  for await (const part of writeBundle({ source: memorySource(sample.objects) })) parts.push(part);
  const bundle = concatBytes(parts);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }),
      fc.nat(),
      async (changes, cut) => {
        const bytes = bundle.slice(0, cut % 5 === 0 ? cut % bundle.length : bundle.length);
        for (const [at, value] of changes) bytes[at % (bytes.length || 1)] = value;
        try {
          await verifyRecording(await openBundle(bytesReader(bytes)));
        } catch (error) {
          typed(error);
        }
      },
    ),
    { numRuns: Math.ceil(numRuns / 3) },
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { concatBytes, utf8 } from "@gatehouse/kernel";
import { type FileOperation, encodeFileOperation } from "@gatehouse/recording";
import { ScpTap, parseScpCommand } from "./scp.ts";

const numRuns = Number(process.env["FUZZ_RUNS"] ?? 300);

const pieces = fc.oneof(
  fc
    .constantFrom(
      "C0644 5 a\n",
      "C0644 0 a\n",
      "D0755 0 d\n",
      "E\n",
      "T1 0 2 0\n",
      "\0",
      "\u0001no\n",
      "hello",
    )
    .map(utf8),
  fc.uint8Array({ maxLength: 20 }),
);
const script = fc.array(fc.tuple(fc.boolean(), fc.array(pieces, { maxLength: 8 }).map(concatBytes)), {
  maxLength: 20,
});

function run(steps: readonly (readonly [boolean, Uint8Array])[], portion: number): FileOperation[] {
  const tap = new ScpTap({ direction: "upload", path: "x" }, { progressBytes: 1 << 30 });
  const operations: FileOperation[] = [];
  for (const [fromClient, bytes] of steps)
    for (let at = 0; at < bytes.length; at += portion) {
      const view = bytes.slice(at, at + portion);
      operations.push(...(fromClient ? tap.fromClient(view) : tap.fromTarget(view)));
      view.fill(0xaa);
    }
  return [...operations, ...tap.end()];
}

test("any bytes are followed or let go, the same in whatever portions they come, and can be recorded", () => {
  fc.assert(
    fc.property(script, fc.integer({ min: 1, max: 16 }), (steps, portion) => {
      const whole = run(steps, 1 << 20);
      assert.deepEqual(run(steps, portion), whole);
      for (const operation of whole) encodeFileOperation(operation);
    }),
    { numRuns },
  );
});

test("any command is recognised or not", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), (rest) => {
      const parsed = parseScpCommand(`scp -t ${rest}`);
      if (parsed?.direction === "upload") assert.ok(rest.endsWith(parsed.path));
    }),
    { numRuns },
  );
});

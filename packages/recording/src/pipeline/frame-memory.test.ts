import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FrameMemory } from "./frame-memory.ts";

test("a copy is the caller's bytes and nobody else's, until it is released", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ length: fc.integer({ min: 0, max: 20_000 }), release: fc.nat(5) }), {
        maxLength: 40,
      }),
      (steps) => {
        const memory = new FrameMemory();
        const kept: { copy: Uint8Array; value: number }[] = [];
        for (const [i, { length, release }] of steps.entries()) {
          const value = (i % 255) + 1;
          const data = new Uint8Array(length).fill(value);
          kept.push({ copy: memory.copy(data), value });
          data.fill(0);
          const gone = release < kept.length ? kept.splice(release, 1)[0] : undefined;
          if (gone) memory.release(gone.copy);
          for (const { copy, value: was } of kept) assert.ok(copy.every((byte) => byte === was));
        }
      },
    ),
    { numRuns: 100 },
  );
});

test("large blocks are used again", () => {
  const memory = new FrameMemory();
  const first = memory.copy(new Uint8Array(32_768));
  memory.release(first);
  assert.equal(memory.copy(new Uint8Array(20_000)).buffer, first.buffer);
  assert.notEqual(memory.copy(new Uint8Array(20_000)).buffer, first.buffer);
});

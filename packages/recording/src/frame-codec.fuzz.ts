import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { equalBytes, isGatehouseError } from "@gatehouse/kernel";
import type { Frame } from "./frame.ts";
import { encodeFrames, FrameCursor } from "./frame-codec.ts";

const numRuns = Number(process.env["FUZZ_RUNS"] ?? 300);
const base = { firstSeq: 5, firstTimeUs: 77 };

test("any bytes are frames that encode to the same bytes, or corrupt", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.constantFrom("main" as const, "input" as const),
      (bytes, lane) => {
        const cursor = new FrameCursor(bytes, base, lane);
        const frames: Frame[] = [];
        try {
          for (let frame = cursor.next(); frame; frame = cursor.next()) {
            assert.ok(frame.data.buffer === bytes.buffer, "data is a view");
            if (frame.kind === undefined) return;
            frames.push(frame);
          }
        } catch (error) {
          assert.ok(isGatehouseError(error, "corrupt"), String(error));
          return;
        }
        assert.ok(equalBytes(encodeFrames(base, frames), bytes));
      },
    ),
    { numRuns },
  );
});

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { GatehouseError } from "@gatehouse/kernel";
import { decodeResize } from "@gatehouse/recording";
import fc from "fast-check";
import { openAsciicast } from "./asciicast.ts";

const folder = mkdtempSync(join(tmpdir(), "gatehouse-cast-"));
const path = join(folder, "f.cast");
after(() => rmSync(folder, { recursive: true, force: true }));
const numRuns = Number(process.env["FUZZ_RUNS"] ?? 300);

const header = fc.oneof(
  fc.constant({ version: 2, width: 80, height: 24 }),
  fc.constant({ version: 3, term: { cols: 80, rows: 24 } }),
  fc.object(),
);
const event = fc.oneof(
  fc.tuple(fc.double(), fc.constantFrom("o", "i", "r", "x", "m"), fc.string()),
  fc.tuple(
    fc.double({ min: 0, max: 1e6 }),
    fc.constantFrom("r", "x"),
    fc.stringMatching(/^\d{1,6}(x\d{1,6})?$/),
  ),
  fc.anything(),
);
const file = fc.oneof(
  fc.string(),
  fc
    .tuple(header, fc.array(event))
    .map(([first, events]) => [first, ...events].map((line) => `${JSON.stringify(line) ?? ""}\n`).join("")),
);

test("any file is a cast whose times never go back, or is refused by name", async () => {
  await fc.assert(
    fc.asyncProperty(file, async (text) => {
      writeFileSync(path, text);
      try {
        const source = await openAsciicast(path);
        let lastUs = 0;
        for await (const frame of source.frames()) {
          assert.ok(frame.timeUs >= lastUs && frame.timeUs <= (source.durationUs ?? 0));
          if (frame.kind === "resize") decodeResize(frame.data);
          lastUs = frame.timeUs;
        }
      } catch (error) {
        assert.ok(error instanceof GatehouseError, String(error));
        assert.ok(["invalid", "too_large"].includes(error.code));
      }
    }),
    { numRuns },
  );
});

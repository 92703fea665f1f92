import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createKeyReader } from "./keys.ts";

test("keys are the same however their bytes arrive", () => {
  const text = " \u001b[C\u001b[1;2D+\u001bOD[x\u001b[200~\u001b[H.,q";
  const whole = createKeyReader()(text);
  assert.deepEqual(whole, [
    { act: "pause" },
    { act: "seek", byS: 5 },
    { act: "seek", byS: -30 },
    { act: "faster" },
    { act: "seek", byS: -5 },
    { act: "seek", byS: -30 },
    { act: "start" },
    { act: "step", by: 1 },
    { act: "step", by: -1 },
    { act: "quit" },
  ]);
  const read = createKeyReader();
  assert.deepEqual(
    [...text].flatMap((char) => read(char)),
    whole,
  );
});

test("whatever arrives, q after a pause quits", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (noise) => {
      const read = createKeyReader();
      read(Buffer.from(noise).toString("latin1"));
      const keys = [...read("\r"), ...read("\r"), ...read("\r"), ...read("q")];
      assert.deepEqual(keys.at(-1), { act: "quit" });
    }),
  );
});

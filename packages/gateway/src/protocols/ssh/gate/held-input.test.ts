import assert from "node:assert/strict";
import { test } from "node:test";
import { TestClock } from "@gatehouse/kernel";
import fc from "fast-check";
import { InputGate } from "../../../sessions/input-gate.ts";
import { HeldInput } from "./held-input.ts";

const settled = () => new Promise((resolve) => setImmediate(resolve));

function held() {
  const gate = new InputGate(new TestClock());
  const passed: { stream: number; text: string }[] = [];
  const input = new HeldInput({
    session: { inputAllowed: () => gate.state === "allowed", whenInputAllowed: (ms) => gate.when(ms ?? 0) },
    data: (view, stream) => {
      const last = passed.at(-1);
      if (last?.stream === stream) last.text += Buffer.from(view).toString("latin1");
      else passed.push({ stream, text: Buffer.from(view).toString("latin1") });
    },
    eof: () => passed.push({ stream: -1, text: "eof" }),
  });
  return { gate, passed, input };
}

test("what is held passes in its order, whole, however often it is paused anew", async () => {
  type Step = { act: "data"; text: string; stream: number } | { act: "pause" } | { act: "resume" };
  const step = fc.oneof<fc.Arbitrary<Step>[]>(
    fc.record({
      act: fc.constant("data" as const),
      text: fc.string({ minLength: 1, maxLength: 40, unit: "grapheme-ascii" }),
      stream: fc.nat(1),
    }),
    fc.record({ act: fc.constant("pause" as const) }),
    fc.record({ act: fc.constant("resume" as const) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.boolean(), async (steps, slow) => {
      const { gate, passed, input } = held();
      const sent: { stream: number; text: string }[] = [];
      for (const one of steps) {
        if (one.act === "pause") gate.pause();
        else if (one.act === "resume") gate.resume();
        else {
          const last = sent.at(-1);
          if (last?.stream === one.stream) last.text += one.text;
          else sent.push({ stream: one.stream, text: one.text });
          const before = passed.length;
          if (input.holds) input.hold(Buffer.from(one.text, "latin1"), one.stream);
          else {
            const at = passed.at(-1);
            if (at?.stream === one.stream) at.text += one.text;
            else passed.push({ stream: one.stream, text: one.text });
          }
          if (gate.state === "paused")
            assert.equal(passed.length, before, "nothing passes while it is paused");
        }
        if (slow) await settled();
      }
      input.holdEof();
      gate.resume();
      await settled();
      assert.deepEqual(passed, [...sent, { stream: -1, text: "eof" }]);
      assert.equal(input.holds, false);
    }),
  );
});

test("what is held when the session ends, or when nobody is there any more, never passes", async () => {
  for (const end of ["shut", "drop"] as const) {
    const { gate, passed, input } = held();
    gate.pause();
    input.hold(Buffer.from("rm -rf /"), 0);
    if (end === "shut") gate.shut();
    else {
      input.drop();
      gate.resume();
    }
    await settled();
    assert.deepEqual(passed, []);
  }
});

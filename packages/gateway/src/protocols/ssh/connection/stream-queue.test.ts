import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { StreamQueue } from "./stream-queue.ts";

test("what goes in comes out, each stream in its order and neither before what was pushed earlier", () => {
  const step = fc.oneof(
    fc.record({ push: fc.uint8Array({ maxLength: 300 }), stream: fc.nat(1) }),
    fc.record({ take: fc.nat(400) }),
    fc.constant("clear" as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = new StreamQueue();
      // The model: one entry for each byte.
      let model: { byte: number; stream: number }[] = [];
      for (const action of steps) {
        if (action === "clear") {
          queue.clear();
          model = [];
        } else if ("push" in action) {
          queue.push(action.push, action.stream);
          for (const byte of action.push) model.push({ byte, stream: action.stream });
        } else {
          queue.take(action.take, (view, stream) => {
            assert.ok(view.length > 0 && view.length <= action.take);
            const expected = model.splice(0, view.length);
            assert.deepEqual(
              expected,
              Array.from(view, (byte) => ({ byte, stream })),
            );
          });
        }
        assert.equal(queue.length, model.length);
      }
    }),
  );
});

test("a take hands over a whole run when it may", () => {
  const queue = new StreamQueue();
  queue.push(Buffer.from("ab"), 0);
  queue.push(Buffer.from("cd"), 0);
  queue.push(Buffer.from("E"), 1);
  const out: string[] = [];
  while (queue.length > 0)
    queue.take(100, (view, stream) => out.push(`${stream}:${Buffer.from(view).toString()}`));
  assert.deepEqual(out, ["0:abcd", "1:E"]);
});

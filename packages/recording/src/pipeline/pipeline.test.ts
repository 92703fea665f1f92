import assert from "node:assert/strict";
import { test } from "node:test";
import { fromUtf8, utf8 } from "@gatehouse/kernel";
import { MemoryDisk } from "./testing/memory-disk.ts";
import { MemoryStore } from "./testing/memory-store.ts";
import { newFacts, readBack, testPipeline } from "./testing/kit.ts";

test("a session is recorded, sealed, shipped and forgotten here", async () => {
  const disk = new MemoryDisk();
  const store = new MemoryStore();
  const { pipeline, state, lines } = testPipeline({ disk, store });
  assert.deepEqual(await pipeline.recover(), []);
  const facts = newFacts();
  const writer = await pipeline.open(facts);
  await writer.append("output", 0, utf8("hello "));
  await Promise.all([writer.append("input", 0, utf8("ls\r")), writer.append("output", 0, utf8("world"))]);
  const closed = await writer.close({ reason: "closed" });
  const stored = await state(facts.sessionId, "stored");
  const { frames, verification } = await readBack(store, facts);
  assert.deepEqual(
    frames.map((frame) => [
      frame.seq,
      frame.kind,
      frame.kind === "session.start" ? "" : fromUtf8(frame.data),
    ]),
    [
      [0, "session.start", ""],
      [1, "output", "hello "],
      [2, "input", "ls\r"],
      [3, "output", "world"],
      [4, "session.end", '{"reason":"closed"}'],
    ],
  );
  assert.deepEqual(verification.findings, []);
  assert.equal(verification.ok, true);
  assert.equal(verification.state, "complete");
  assert.equal(closed.frames, 5);
  assert.equal(stored.headSha256, closed.headSha256);
  assert.equal(stored.bytes, closed.bytes);
  await pipeline.stop({ deadlineMs: 1000 });
  assert.deepEqual(
    disk.paths().filter((path) => path.startsWith("/gate/spool/")),
    [],
  );
  assert.deepEqual(lines, []);
});

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isGatehouseError, systemClock, utf8 } from "@gatehouse/kernel";
import { Quickness, nodeDisk } from "./node-disk.ts";
import { newFacts, readBack, testPipeline } from "./testing/kit.ts";
import { MemoryStore } from "./testing/memory-store.ts";

const mebi = 1024 * 1024;
const refused = (pattern: RegExp) => (error: unknown) =>
  isGatehouseError(error, "recording_unavailable") && pattern.test(error.message);

/** A pipeline on a real disk and the real clock. */
function real(directory: string, store: MemoryStore) {
  const clock = systemClock as never;
  return testPipeline({ directory, store, clock, limits: { journalCapacityBytes: 2 * mebi } });
}

test("on a real disk: recorded, killed without a word, recovered", async () => {
  const directory = mkdtempSync(join(tmpdir(), "gatehouse-disk-"));
  const store = new MemoryStore();
  const first = real(join(directory, "gate"), store);
  await first.pipeline.recover();
  const facts = newFacts();
  const writer = await first.pipeline.open(facts);
  await writer.append("output", 0, utf8("seen"));
  assert.equal(statSync(join(directory, "gate/journal/000001.journal")).mode & 0o777, 0o600);

  const second = real(join(directory, "gate"), store);
  await assert.rejects(second.pipeline.recover(), (error) => isGatehouseError(error, "conflict"));
  await assert.rejects(second.pipeline.admissible(), refused(/another gateway/));

  // Nothing is closed or sealed by this; the lock goes as it would with the process.
  await first.pipeline.stop({ deadlineMs: 0 });
  const [recovered] = await second.pipeline.recover();
  assert.deepEqual(recovered?.facts, facts);
  await second.state(facts.sessionId, "stored");
  const { frames, verification } = await readBack(store, facts);
  assert.deepEqual(verification.findings, []);
  assert.deepEqual(
    frames.map((frame) => frame.kind),
    ["session.start", "output"],
  );
  await second.pipeline.stop({ deadlineMs: 1_000 });
  rmSync(directory, { recursive: true });
});

test("a directory that cannot be one is told as the reason", async () => {
  const directory = mkdtempSync(join(tmpdir(), "gatehouse-disk-"));
  writeFileSync(join(directory, "file"), "");
  const { pipeline } = real(join(directory, "file/gate"), new MemoryStore());
  await assert.rejects(pipeline.recover(), refused(/cannot be used.*ENOTDIR/));
  await assert.rejects(pipeline.open(newFacts()), refused(/ENOTDIR/));
  rmSync(directory, { recursive: true });
});

/** A file system of its own of this size; undefined, with the reason, where this account may not mount one. */
function smallDisk(bytes: number): { directory: string; unmount(): void } | { skip: string } {
  const directory = mkdtempSync(join(tmpdir(), "gatehouse-small-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", directory], { stdio: "pipe" });
  } catch (error) {
    rmSync(directory, { recursive: true });
    return { skip: `a tmpfs cannot be mounted: ${(error as Error).message}` };
  }
  return {
    directory,
    unmount() {
      execFileSync("umount", ["-l", directory]);
      rmSync(directory, { recursive: true });
    },
  };
}

test("a disk too small for the journal: nothing is opened, and the reason says so", async (t) => {
  const disk = smallDisk(mebi);
  if ("skip" in disk) return t.skip(disk.skip);
  const { pipeline } = testPipeline({
    directory: join(disk.directory, "gate"),
    store: new MemoryStore(),
    clock: systemClock as never,
    limits: { journalCapacityBytes: 16 * mebi, journalFileBytes: 4 * mebi },
  });
  await pipeline.recover();
  await assert.rejects(pipeline.open(newFacts()), refused(/no room.*ENOSPC/));
  await pipeline.stop({ deadlineMs: 0 });
  disk.unmount();
});

test("a disk that fills up in mid-session: what is acknowledged is kept, and it heals", async (t) => {
  const disk = smallDisk(4 * mebi);
  if ("skip" in disk) return t.skip(disk.skip);
  const store = new MemoryStore();
  const { pipeline, state } = real(join(disk.directory, "gate"), store);
  await pipeline.recover();
  const facts = newFacts();
  const writer = await pipeline.open(facts);
  await writer.append("output", 0, utf8("before"));
  while (pipeline.status().journal.capacityBytes < 1.9 * mebi * 0.9)
    await new Promise((resolve) => setTimeout(resolve, 5));
  const ballast = join(disk.directory, "ballast");
  try {
    writeFileSync(ballast, Buffer.alloc(16 * mebi));
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC");
  }
  // The journal has its room already; the spool has none.
  await writer.append("output", 0, crypto.getRandomValues(new Uint8Array(20_000)));
  await writer.append("output", 0, utf8("during"));
  await assert.rejects(writer.close({ reason: "closed" }), refused(/spool.*ENOSPC/));
  await assert.rejects(pipeline.open(newFacts()), refused(/spool.*ENOSPC/));
  rmSync(ballast);
  await state(facts.sessionId, "stored");
  const { frames, verification } = await readBack(store, facts);
  assert.deepEqual(verification.findings, []);
  assert.equal(frames.length, 5);
  await pipeline.admissible();
  await pipeline.stop({ deadlineMs: 1_000 });
  disk.unmount();
});

test("what the disk says is passed on, and whole files replace each other whole", async () => {
  const directory = mkdtempSync(join(tmpdir(), "gatehouse-disk-"));
  await assert.rejects(nodeDisk.openDurable(join(directory, "none")), { code: "ENOENT" });
  const file = await nodeDisk.create(join(directory, "a"));
  await assert.rejects(nodeDisk.create(join(directory, "a")), { code: "EEXIST" });
  await file.write(utf8("0123456789"), 5);
  await file.sync();
  assert.equal(Buffer.from(await file.read(3, 4)).toString("hex"), "00003031");
  assert.equal((await file.read(12, 100)).length, 3);
  await file.close();
  mkdirSync(join(directory, "sub"));
  assert.deepEqual(await nodeDisk.list(directory), ["a", "sub"]);
  assert.deepEqual(await nodeDisk.list(join(directory, "none")), []);
  rmSync(directory, { recursive: true });
});

test("a disk is written to in place while it is quick, whatever interrupts a write now and then", () => {
  const quick = new Quickness();
  let nowMs = 0;
  const takes = (...each: number[]) => {
    for (const ms of each) {
      assert.ok(quick.expected(nowMs));
      quick.took(ms, (nowMs += ms));
    }
  };
  takes(0.01, 4, 0.01, 0.2, 9, 4, 0.01, 0.01);
  while (quick.expected(nowMs)) takes(4);
  assert.ok(nowMs < 100);
  assert.ok(!quick.expected(nowMs + 999));
  // Once it may be tried again, one write is enough to know, either way.
  nowMs += 1000;
  takes(4);
  assert.ok(!quick.expected(nowMs + 999));
  nowMs += 1000;
  takes(0.2, 0.01, 9, 0.01);
  assert.ok(quick.expected(nowMs));
});

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isGatehouseError, systemRandom, TestClock } from "@gatehouse/kernel";
import { storeConformance } from "../conformance.ts";
import { createFilesystemStore } from "./mod.ts";

function make(immutable: boolean) {
  const directory = mkdtempSync(join(tmpdir(), "gatehouse-store-"));
  // The end of a retention is compared with the clock given, and kept by the file system as a date.
  const clock = new TestClock();
  return {
    directory,
    store: createFilesystemStore({ directory, clock, random: systemRandom, immutable }),
    nowMs: () => clock.nowMs(),
    advance: (ms: number) => clock.advance(ms),
    cleanup() {
      if (immutable) execFileSync("chattr", ["-R", "-i", directory]);
      rmSync(directory, { recursive: true, force: true });
      return Promise.resolve();
    },
  };
}

/** Why the attribute cannot be used here; undefined where it can. */
function noImmutable(): string | undefined {
  const { directory, cleanup } = make(false);
  try {
    writeFileSync(join(directory, "file"), "");
    execFileSync("chattr", ["+i", join(directory, "file")], { stdio: "pipe" });
    execFileSync("chattr", ["-i", join(directory, "file")]);
    return undefined;
  } catch (error) {
    return `the immutable attribute cannot be set here: ${(error as Error).message}`;
  } finally {
    void cleanup();
  }
}
const skip = noImmutable();

storeConformance({ name: "filesystem", holds: "gatehouse", make: () => Promise.resolve(make(false)) });
storeConformance({
  name: "filesystem, immutable",
  holds: "backend",
  make: () => Promise.resolve(make(true)),
  enforces: { overwrite: true, deletion: true },
  ...(skip !== undefined && { skip }),
});

test("an object is a read-only file whose date is the end of its retention", async () => {
  const { directory, store, nowMs, cleanup } = make(false);
  const retainUntilMs = nowMs() + 365 * 24 * 3_600_000;
  await store.create("recordings/a/000000.seg", Buffer.from("bytes"), { retainUntilMs });
  const found = statSync(join(directory, "recordings/a/000000.seg"));
  assert.equal(found.mode & 0o777, 0o400);
  assert.equal(found.mtimeMs, retainUntilMs);
  assert.equal(found.nlink, 1);
  assert.deepEqual(readdirSync(join(directory, ".incoming")), []);
  await cleanup();
});

test("a date that no file system keeps is refused, not shortened", async () => {
  const { store, cleanup } = make(false);
  await assert.rejects(
    store.create("k", Buffer.from("x"), { retainUntilMs: Date.UTC(9000, 0) }),
    (error) => isGatehouseError(error, "unavailable") && /cannot keep the date/.test(error.message),
  );
  await assert.rejects(store.read("k"), (error) => isGatehouseError(error, "not_found"));
  await cleanup();
});

test("a probe of a directory that cannot be used says so", async () => {
  const { directory, cleanup } = make(false);
  // A file where the directory should be stops root as well.
  writeFileSync(join(directory, "file"), "");
  const store = createFilesystemStore({
    directory: join(directory, "file"),
    clock: new TestClock(),
    random: systemRandom,
  });
  await assert.rejects(
    store.probe(),
    (error) => isGatehouseError(error, "unavailable") && error.hint !== undefined,
  );
  await cleanup();
});

test("incoming files of a process that died are removed after a day, and younger ones are left", async () => {
  const { directory, store, advance, cleanup, nowMs } = make(false);
  mkdirSync(join(directory, ".incoming"));
  writeFileSync(join(directory, ".incoming/left"), "half");
  chmodSync(join(directory, ".incoming/left"), 0o400);
  await store.probe();
  assert.deepEqual(readdirSync(join(directory, ".incoming")), ["left"]);
  advance(Math.max(0, Date.now() - nowMs()) + 2 * 24 * 3_600_000);
  await store.probe();
  assert.deepEqual(readdirSync(join(directory, ".incoming")), []);
  await cleanup();
});

test("a full disk refuses an object whole, keeps those before it, and takes it once there is room", async (t) => {
  const { directory, store, nowMs, cleanup } = make(false);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", directory], { stdio: "pipe" });
  } catch (error) {
    await cleanup();
    return t.skip(`a tmpfs cannot be mounted: ${(error as Error).message}`);
  }
  try {
    const bytes = systemRandom.bytes(100_000);
    const retain = { retainUntilMs: nowMs() + 60_000 };
    await store.create("a/before", bytes, retain);
    const filler = join(directory, "filler");
    writeFileSync(filler, Buffer.alloc(100_000));
    await assert.rejects(store.create("a/k", bytes, retain), (error) =>
      isGatehouseError(error, "unavailable"),
    );
    assert.deepEqual(await store.list("a/"), ["a/before"]);
    await assert.rejects(store.stat("a/k"), (error) => isGatehouseError(error, "not_found"));
    rmSync(filler);
    await store.create("a/k", bytes, retain);
    for (const key of ["a/before", "a/k"])
      assert.deepEqual(Buffer.from(await store.read(key)), Buffer.from(bytes));
  } finally {
    execFileSync("umount", ["-l", directory]);
    await cleanup();
  }
});

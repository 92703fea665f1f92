import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isGatehouseError, systemRandom, TestClock } from "@gatehouse/kernel";
import type { ObjectStore } from "@gatehouse/recording/pipeline";
import { createFilesystemStore } from "./filesystem/mod.ts";
import { requireImmutability, unenforced } from "./immutability.ts";

test("what only Gatehouse refuses is said, each half by its name", () => {
  const said = (overwrite: "backend" | "gatehouse", deletion: "backend" | "gatehouse") =>
    unenforced({ overwrite, deletion, findings: [] });
  assert.equal(said("backend", "backend"), undefined);
  assert.match(said("gatehouse", "backend") ?? "", /refuse overwriting recordings/);
  assert.match(said("backend", "gatehouse") ?? "", /refuse removing recordings/);
  assert.match(said("gatehouse", "gatehouse") ?? "", /refuse overwriting and removing recordings/);
});

test("a store that must enforce and does not fails its probe, until it does", async () => {
  const directory = mkdtempSync(join(tmpdir(), "gatehouse-immutability-"));
  const clock = new TestClock();
  const plain = createFilesystemStore({ directory, clock, random: systemRandom });
  let deletion: "backend" | "gatehouse" = "gatehouse";
  const inner: ObjectStore = Object.assign(Object.create(plain) as ObjectStore, {
    probe: () => Promise.resolve({ overwrite: "backend" as const, deletion, findings: [] }),
  });
  const { store, refusal } = requireImmutability(inner);
  assert.equal(refusal(), undefined);
  await assert.rejects(
    store.probe(),
    (error) =>
      isGatehouseError(error, "unavailable") && /accept_unenforced_immutability/.test(error.hint ?? ""),
  );
  assert.match(refusal()?.message ?? "", /removing/);
  deletion = "backend";
  assert.equal((await store.probe()).deletion, "backend");
  assert.equal(refusal(), undefined);
  rmSync(directory, { recursive: true });
});

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { isGatehouseError, seededRandom } from "@gatehouse/kernel";
import { openDirectory } from "../open.ts";
import { temporaryDirectory } from "../testing/temporary.ts";

test("what was written is there after closing and opening", async (context) => {
  const { directory, path, clock } = await temporaryDirectory(context);
  await directory.settings.set("key", "one");
  await directory.settings.set("key", "two");
  await directory.close();
  const again = await openDirectory({ path, clock, random: seededRandom(2) });
  assert.equal(await again.settings.get("key"), "two");
  assert.equal(await again.settings.get("other"), undefined);
  await again.close();
});

test("a probe tells that the database is locked, and that it is free again", async (context) => {
  const { directory, path } = await temporaryDirectory(context, { lockWaitMs: 30 });
  await directory.probe();
  const other = new DatabaseSync(path);
  other.exec("begin immediate");
  await assert.rejects(directory.probe(), (error) => isGatehouseError(error, "unavailable"));
  other.exec("rollback");
  other.close();
  await directory.probe();
  await directory.close();
  await assert.rejects(directory.probe());
});

test("every probe writes, also two in the same millisecond", async (context) => {
  const { directory, path } = await temporaryDirectory(context);
  const reader = new DatabaseSync(path, { readOnly: true });
  const version = () => ({ ...reader.prepare("pragma data_version").get() })["data_version"];
  const seen = new Set([version()]);
  for (let n = 0; n < 3; n++) {
    await directory.probe();
    seen.add(version());
  }
  reader.close();
  assert.equal(seen.size, 4);
});

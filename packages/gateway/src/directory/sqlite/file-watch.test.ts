import assert from "node:assert/strict";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileWatch } from "./file-watch.ts";

const folder = mkdtempSync(join(tmpdir(), "gatehouse-file-watch-"));
after(() => rmSync(folder, { recursive: true }));

test("a file that was removed or replaced is noticed, and that it came back", () => {
  const path = join(folder, "db");
  writeFileSync(path, "");
  const watch = fileWatch(path);
  watch.check();
  const lost = { code: "unavailable", message: "the database is not where it was opened" };
  renameSync(path, `${path}.away`);
  assert.throws(() => watch.check(), lost);
  writeFileSync(path, "another");
  assert.throws(() => watch.check(), lost);
  renameSync(`${path}.away`, path);
  watch.check();
});

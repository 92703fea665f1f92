import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const launcher = fileURLToPath(new URL("../bin/gatehouse", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "gatehouse-launcher-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function start(path: string, words: readonly string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(path, words, {
    encoding: "utf8",
    cwd: folder,
    env: { HOME: folder, PATH: "/usr/bin:/bin", ...env },
  });
  return { status, stdout, stderr };
}

test("it runs from anywhere, through links, by the name it is called", () => {
  mkdirSync(join(folder, "a"));
  symlinkSync(launcher, join(folder, "a", "gatehouse"));
  symlinkSync("a/gatehouse", join(folder, "tsh"));
  const { status, stdout, stderr } = start(join(folder, "tsh"), ["version", "--json"]);
  assert.deepEqual([status, stderr], [0, ""]);
  assert.ok(Number(JSON.parse(stdout).node.split(".")[0]) >= 26);
  assert.match(start(join(folder, "tsh"), ["--help"]).stdout, /^Usage: tsh /);
});

test("the exit code and both outputs are the command's own", () => {
  const { status, stdout, stderr } = start(launcher, ["verify", "nothing-here"]);
  assert.equal(status, 4);
  assert.equal(stdout, "");
  assert.match(stderr, /^error: nothing-here is neither /);
});

test("without a Node that can run it, it says what is missing", () => {
  mkdirSync(join(folder, "alone"));
  mkdirSync(join(folder, "old"));
  copyFileSync(launcher, join(folder, "alone", "gatehouse"));
  // A Node too old for the question answers it with a failure.
  writeFileSync(join(folder, "old", "node"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  const { status, stderr } = start(join(folder, "alone", "gatehouse"), ["version"], {
    PATH: `${join(folder, "old")}:/usr/bin:/bin`,
  });
  assert.equal(status, 69);
  assert.match(stderr, /^error: gatehouse needs Node 26 or later\nhint: /);
});

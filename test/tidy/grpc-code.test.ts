import assert from "node:assert/strict";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { root, run } from "../../tools/run.ts";

test("the code of the gRPC API is what its .proto files say", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "gatehouse-proto-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const cwd = join(root, "packages/contracts");
  assert.equal(await run("buf", ["generate", "--output", folder], { cwd }), 0);
  const read = (from: string) =>
    Object.fromEntries(
      globSync("**/*.{js,ts}", { cwd: from }).map((file) => [file, readFileSync(join(from, file), "utf8")]),
    );
  const made = read(join(folder, "src/grpc/generated"));
  assert.ok(Object.keys(made).length >= 10);
  const kept = read(join(cwd, "src/grpc/generated"));
  assert.deepEqual(Object.keys(kept), Object.keys(made));
  for (const [file, text] of Object.entries(made))
    assert.ok(kept[file] === text, `run \`npm run grpc-code\`: ${file}`);
});

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { createWorkshop } from "../testing/run-here.ts";

const workshop = createWorkshop();
const { folder, run } = workshop;
after(() => workshop.close());

const store = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return name;
};

test("store check says what only Gatehouse enforces, and what to do", async () => {
  const config = store("plain.yaml", "data_dir: data\n");
  const { code, stdout } = await run(["store", "check", "--config", config]);
  assert.equal(code, 0, stdout);
  assert.match(stdout, /^filesystem {2}.*data\/recordings$/m);
  assert.match(stdout, /^The store itself refuses: {2}nothing$/m);
  assert.match(stdout, /^Only Gatehouse refuses: {4}overwriting and removing$/m);
  assert.match(stdout, /^warning {2}.*refused by Gatehouse only.*\n {9}Run with `store\.immutable: true`/m);
});

test("in mode production the same is a problem, unless it was accepted", async () => {
  const refused = await run(["store", "check", "--json", "-c", store("p.yaml", "mode: production\n")]);
  assert.equal(refused.code, 1);
  const report = JSON.parse(refused.stdout) as {
    ok: boolean;
    enforced: unknown;
    findings: { level: string; message: string }[];
  };
  assert.equal(report.ok, false);
  assert.deepEqual(report.enforced, { backend: [], gatehouse: ["overwriting", "removing"] });
  assert.match(report.findings.at(-1)?.message ?? "", /does not start in mode production/);
  const accepted = "mode: production\nstore: { type: filesystem, accept_unenforced_immutability: true }\n";
  assert.equal((await run(["store", "check", "-c", store("a.yaml", accepted)])).code, 0);
});

test("a store that cannot be used is a problem with its cause, and a wrong command line is usage", async () => {
  mkdirSync(join(folder, "data"), { recursive: true });
  writeFileSync(join(folder, "data/file"), "");
  const config = store("broken.yaml", "data_dir: data\nstore: { type: filesystem, path: file }\n");
  const { code, stdout } = await run(["store", "check", "-c", config]);
  assert.equal(code, 1);
  assert.match(
    stdout,
    /^problem {2}the store in .*data\/file is not usable: .*\n {9}See that the directory/m,
  );
  // Nobody listens on port 1.
  const s3 =
    "store: { type: s3, bucket: recordings, endpoint: 'http://127.0.0.1:1', force_path_style: true }\n";
  const refused = await run(["store", "check", "-c", store("s3.yaml", s3)]);
  assert.equal(refused.code, 1);
  assert.match(
    refused.stdout,
    /^problem {2}the store s3:\/\/recordings\/ at 127\.0\.0\.1:1 is not usable: /m,
  );
  assert.equal((await run(["store", "check", "--wrong"])).code, 2);
});

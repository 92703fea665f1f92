import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { createWorkshop } from "../testing/run-here.ts";

const workshop = createWorkshop();
const { folder, run } = workshop;
after(() => workshop.close());

test("config check names the key, what is expected and where it stands", async () => {
  assert.equal((await run(["config", "check"])).code, 0, "the defaults alone are valid");
  writeFileSync(join(folder, "gatehouse.yaml"), "sessions:\n  idle_timeout: soon\nwrong_key: 1\n");
  const { code, stdout } = await run(["config", "check", "gatehouse.yaml"]);
  assert.equal(code, 1);
  assert.match(stdout, /^gatehouse\.yaml:2:\d+: sessions\.idle_timeout: got "soon", expected a duration/m);
  assert.match(stdout, /^gatehouse\.yaml:3:\d+: wrong_key: unknown key/m);
  const json = await run(["config", "check", "--json"], { env: { GATEHOUSE_CONFIG: "gatehouse.yaml" } });
  assert.equal(json.code, 1);
  assert.deepEqual(
    JSON.parse(json.stdout)
      .findings.map(({ path }: { path: string }) => path)
      .sort(),
    ["sessions.idle_timeout", "wrong_key"],
  );
  writeFileSync(join(folder, "good.yaml"), "sessions:\n  idle_timeout: 5m\n");
  const good = await run(["config", "check", "good.yaml"], { env: { GATEHOUSE_CLI_DEBUG: "1" } });
  assert.deepEqual([good.code, good.stdout], [0, "good.yaml: valid\n"]);
});

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { systemClock } from "@gatehouse/kernel";
import { parseAllDocuments } from "yaml";
import type { RestServer } from "../../../gateway/src/api/rest/mod.ts";
import { memoryGate } from "../../../gateway/src/api/rest/testing/memory-doors.ts";
import { createWorkshop } from "../testing/run-here.ts";
import { serveHere } from "../testing/serve-here.ts";

const workshop = createWorkshop();
const { folder, run } = workshop;
let server: RestServer;

before(async () => {
  server = await serveHere(memoryGate(systemClock), folder);
});
after(async () => {
  await server.close();
  workshop.close();
});

test("every fault of every file is told at once, with its line and what was meant, and nothing is changed", async () => {
  mkdirSync(join(folder, "faulty", "deep"), { recursive: true });
  writeFileSync(
    join(folder, "faulty", "a.yaml"),
    `kind: target
name: web-50
host: 10.0.0.50
allowRole: [user]
logins:
  - name: root
    credential: password
  - name: deploy
    credential: private-key
    from: missing.key
permits: { localForwards: true }
access:
  requests:
    reviewers: { teamLead: true, users: [nobody] }
    minutesMax: 0
---
kind: tarket
name: web-51
---
name: web-52
---
kind: user
name: kim
roles: [audiror, user]
`,
  );
  writeFileSync(
    join(folder, "faulty", "deep", "b.yml"),
    `- { kind: user, name: kim }
- { kind: role, name: auditor, description: mine }
- kind: role
  name: r1
  statements:
    - actions: [session.fly]
- { kind: team, name: t1, members: [kim], leads: [kim, lee] }
- { kind: target, name: web-53, host: h, protocol: postgre }
`,
  );
  writeFileSync(join(folder, "faulty", "deep", "broken.json"), `{ "kind": "user", "name": `);
  writeFileSync(join(folder, "faulty", ".hidden.yaml"), "kind: nothing\n");
  const shapes = await run(["apply", "-f", "faulty"]);
  assert.equal(shapes.code, 2);
  assert.deepEqual(
    shapes.stderr
      .split("\n")
      .slice(0, 6)
      .map((line) => line.replace(/^error: /, "")),
    [
      "faulty/a.yaml:4:1: allowRole: there is no such field; did you mean allowRoles?",
      "faulty/a.yaml:11:12: permits.localForwards: there is no such field; did you mean localForward?",
      "faulty/a.yaml:14:18: access.requests.reviewers.teamLead: there is no such field; did you mean teamLeads?",
      "faulty/a.yaml:15:5: access.requests.minutesMax: Too small: expected number to be >=1",
      'faulty/a.yaml:17:1: there is no kind "tarket"; did you mean target?',
      "faulty/a.yaml:20:1: kind is missing: it is one of role, user, team, target",
    ],
  );
  assert.match(shapes.stderr, /faulty\/deep\/broken\.json:1:\d+: /);
  assert.match(shapes.stderr, /^faulty\/deep\/b\.yml:1:\d+: user kim stands in faulty\/a\.yaml:23 already$/m);

  // Of a good shape, and still of nobody, of nothing, or impossible.
  writeFileSync(join(folder, "faulty", "deep", "broken.json"), "[]");
  writeFileSync(
    join(folder, "faulty", "a.yaml"),
    `kind: target
name: web-50
host: 10.0.0.50
logins:
  - name: root
    credential: password
  - name: deploy
    credential: private-key
    from: missing.key
access:
  requests:
    reviewers: { users: [nobody] }
    askers: { roles: [audiror] }
`,
  );
  const meanings = await run(["apply", "-f", "faulty", "--dry-run"]);
  assert.equal(meanings.code, 2);
  for (const [place, message] of [
    [
      "a.yaml:13:23",
      "there is no role audiror, neither on the gate nor in these files; did you mean auditor?",
    ],
    ["a.yaml:12:26", "there is no user nobody, neither on the gate nor in these files"],
    ["a.yaml:6:5", "the gate has no password of root on web-50, and no file says it: add from"],
    ["a.yaml:9:5", "the file with the private-key cannot be used: ENOENT"],
    ["deep/b.yml:2:17", "auditor is built in: only `requests` can be said of it"],
    ["deep/b.yml:6:7", "there is no action session.fly"],
    ["deep/b.yml:7:37", "kim leads the team: name them there alone"],
    ["deep/b.yml:7:56", "there is no user lee, neither on the gate nor in these files"],
    ["deep/b.yml:8:42", "there is no protocol postgre; did you mean postgres?"],
  ])
    assert.ok(
      meanings.stderr.includes(`faulty/${place}: ${message}`),
      `${place} ${message}\n${meanings.stderr}`,
    );
  const absent = await run(["apply", "-f", "nowhere.yaml"]);
  assert.equal(absent.code, 2);
  assert.match(absent.stderr, /nowhere\.yaml:1:1: cannot be read/);
  assert.equal((await run(["get", "target", "web-50"])).code, 4, "nothing was made");
  assert.equal((await run(["apply"])).code, 2);
});

test("what get prints, apply takes, and finds nothing to change", async () => {
  for (const output of ["yaml", "json"]) {
    const got = await run(["get", "all", "-o", output]);
    assert.equal(got.code, 0, got.stderr);
    const applied = await run(["apply", "-f", "-"], { stdin: got.stdout });
    assert.equal(applied.code, 0, applied.stderr);
    assert.match(applied.stdout, /^nothing to change: \d+ things as declared\n$/);
  }
  const one = await run(["get", "user", "jane.doe"]);
  const [jane] = parseAllDocuments(one.stdout).map((document) => document.toJS());
  assert.deepEqual(
    [jane.kind, jane.name, jane.disabled, jane.sshKeys.length],
    ["user", "jane.doe", false, 1],
  );
});

/** Roles of the operator's own through the whole gateway: what they open and show, and that nobody gives what they have not. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Client } from "@gatehouse/contracts/client";
import { isGatehouseError } from "@gatehouse/kernel";
import { addPerson, addTarget } from "../parts/gateway.ts";
import { run } from "../parts/openssh.ts";
import { awaitEvents, awaitStored } from "../parts/sessions.ts";
import { signedIn } from "../parts/signed-in.ts";
import { type Stage, startStage } from "../parts/stage.ts";

const cli = fileURLToPath(new URL("../../packages/cli/bin/gatehouse", import.meta.url));
let stage: Stage;
let ann: Client;
let bob: Client;
let bobId: string;

before(async () => {
  stage = await startStage();
  ann = await signedIn(stage.gateway, stage.person.id);
  bobId = (await addPerson(stage.gateway, "bob")).id;
  bob = await signedIn(stage.gateway, bobId);
});
after(() => stage.close());

const denied = (error: unknown) => isGatehouseError(error, "denied");
const notFound = (error: unknown) => isGatehouseError(error, "not_found");
const invalid = (error: unknown) => isGatehouseError(error, "invalid");
const conflict = (error: unknown) => isGatehouseError(error, "conflict");
const gatehouse = (...args: string[]) => run(cli, [...args, "--data-dir", stage.gateway.dataDir]);

test("a role opens the targets that it names by their labels, and shows their sessions, until it is taken away", async () => {
  const { gateway } = stage;
  const { admin } = gateway;
  await addTarget(gateway, stage.sshd, { name: "db-01", allowRoles: [], labels: { tier: "db" } });
  const address = stage.address.replace("web-01", "db-01");
  assert.equal((await stage.ssh([address, "true"])).code, 255);

  const file = join(gateway.dataDir, "dba.yaml");
  writeFileSync(
    file,
    `description: looks after databases
statements:
  - { actions: [session.open], targets: { tier: [db] }, logins: ["*"] }
  - { actions: [session.view, recording.play], targets: { tier: [db] } }
`,
  );
  const set = await gatehouse("roles", "set", "dba", file);
  assert.equal(set.code, 0, set.stderr);
  const shown = await gatehouse("roles", "show", "dba", "--json");
  assert.equal((JSON.parse(shown.stdout.toString()) as { statements: unknown[] }).statements.length, 2);
  await admin.people.update(stage.person.id, { roles: ["user", "dba"] });
  assert.equal((await stage.ssh([address, "echo by role"])).code, 0);
  const { id } = await awaitStored(gateway, ({ command }) => command?.includes("by role") === true);
  const [start] = await awaitEvents(gateway, { event: "session.start", session: id });
  assert.equal(start?.fields["rule"], "role-dba");

  await assert.rejects(bob.sessions.get(id), notFound);
  assert.deepEqual((await bob.sessions.list()).items, []);
  await admin.people.update(bobId, { roles: ["dba"] });
  assert.equal((await bob.recordings.get(id)).sessionId, id);
  assert.deepEqual(
    (await bob.sessions.list()).items.map((session) => session.id),
    [id],
  );
  await assert.rejects(async () => (await bob.recordings.export(id, "bundle")).chunks, notFound);

  await assert.rejects(admin.roles.remove("dba"), conflict, "while anybody has it");
  await admin.people.update(bobId, { roles: ["user"] });
  await assert.rejects(bob.sessions.get(id), notFound);
  await admin.people.update(stage.person.id, { roles: ["user"] });
  assert.equal((await stage.ssh([address, "true"])).code, 255);
  const { items } = await admin.targets.list({ q: "db-01" });
  const targetId = items[0]?.id ?? "";
  const dba = { roles: ["dba"] };
  const policies = [
    { requests: { askers: dba } },
    { requests: { reviewers: dba } },
    { playback: { reviewers: dba } },
  ];
  for (const change of [{ allowRoles: ["dba"] }, ...policies.map((access) => ({ allowRoles: [], access }))]) {
    await admin.targets.update(targetId, change);
    const kept = await gatehouse("roles", "rm", "dba");
    assert.notEqual(kept.code, 0, JSON.stringify(change));
    assert.match(kept.stderr, /the role dba is named by the target db-01/);
  }
  await admin.targets.update(targetId, { access: {} });
  await admin.roles.setRequests("auditor", { reviewers: dba });
  await assert.rejects(admin.roles.remove("dba"), {
    code: "conflict",
    message: "the role dba is named by the terms of the role auditor",
  });
  await admin.roles.removeRequests("auditor");
  assert.equal((await gatehouse("roles", "rm", "dba")).code, 0);
  const [created] = await awaitEvents(gateway, { event: "role.created" });
  assert.equal(created?.fields["name"], "dba");
  assert.equal((created?.fields["statements"] as string[] | undefined)?.length, 2);
  assert.equal((await awaitEvents(gateway, { event: "role.deleted" }))[0]?.fields["name"], "dba");
});

test("what is built in cannot be changed, and what means nothing cannot be set", async () => {
  const { admin } = stage.gateway;
  await assert.rejects(admin.roles.set("auditor", { statements: [] }), conflict);
  await assert.rejects(admin.roles.remove("user"), conflict);
  await assert.rejects(admin.roles.set("x", { statements: [{ actions: ["session.fly"] }] }), invalid);
  await assert.rejects(admin.roles.set("x", { statements: [{ actions: ["request.review"] }] }), invalid);
  await assert.rejects(admin.people.update(bobId, { roles: ["nonsense"] }), invalid);
  await assert.rejects(ann.roles.list(), denied);
  await assert.rejects(ann.roles.set("x", {}), denied);
});

test("nobody gives what they have not: not by a role, not to themselves, nor by being somebody else", async () => {
  const { admin } = stage.gateway;
  const { items } = await admin.people.list({ q: "admin" });
  const chief = items.find(({ name }) => name === "admin")?.id ?? "";
  await admin.roles.set("clerk", {
    statements: [{ actions: ["person.read", "person.write", "role.write"] }],
  });
  await admin.people.update(bobId, { roles: ["clerk"] });
  await bob.roles.set("small-clerk", { statements: [{ actions: ["person.read"] }] });
  await assert.rejects(bob.roles.set("clerk", { statements: [{ actions: ["audit.read"] }] }), denied);
  await assert.rejects(
    bob.roles.set("own", { statements: [{ actions: ["session.view"], targets: { "*": ["*"] } }] }),
    denied,
  );
  await assert.rejects(bob.people.update(bobId, { roles: ["clerk", "platform-admin"] }), denied);
  await assert.rejects(bob.people.create({ name: "puppet", roles: ["auditor"] }), denied);
  await assert.rejects(bob.people.signInLink(chief), denied);
  await assert.rejects(bob.people.addSshKey(chief, { publicKey: "ssh-ed25519 AAAA" }), denied);
  await assert.rejects(bob.tokens.create(chief, { name: "t", scopes: ["self.read"] }), denied);
  await bob.people.update(stage.person.id, { roles: ["user", "clerk"] });
  await admin.people.update(stage.person.id, { roles: ["user"] });
  const locked = await admin.locks.create({ on: "role", name: "clerk", reason: "drill" });
  await assert.rejects(bob.people.list(), denied, "an own role can be locked as any other");
  await admin.locks.remove(locked.lock.id);
  await bob.people.list();
});

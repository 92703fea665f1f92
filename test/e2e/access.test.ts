/** Teams, locks and access requests through the whole gateway: what they open, what they shut, and what ends by itself. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type Client, createClient } from "@gatehouse/contracts/client";
import type { Person } from "@gatehouse/contracts/rest";
import { createWorkshop } from "../../packages/cli/src/testing/run-here.ts";
import { type GatehouseError, isGatehouseError, systemRandom } from "@gatehouse/kernel";
import {
  type PrivateKey,
  fingerprint,
  generateKey,
  publicKeyLine,
  writePrivateKey,
} from "../../packages/gateway/src/protocols/ssh/keys/mod.ts";
import { addTarget, sshOptions } from "../parts/gateway.ts";
import { run } from "../parts/openssh.ts";
import { awaitEvents, awaitSession, awaitStored, recordedSession } from "../parts/sessions.ts";
import { signedIn } from "../parts/signed-in.ts";
import { type Stage, startStage } from "../parts/stage.ts";
import { openTerminal } from "../parts/terminal.ts";

const cli = fileURLToPath(new URL("../../packages/cli/bin/gatehouse", import.meta.url));

let stage: Stage;
/** Of the gate: the targets take the first two. */
const keys = [generateKey("ed25519"), generateKey("ed25519"), generateKey("ed25519")] as const;
const clients = {} as Record<"ann" | "lea" | "zoe" | "otto", Client>;
const ids = {} as Record<keyof typeof clients, string>;

before(async () => {
  const [first, second] = keys;
  stage = await startStage({
    sshd: { authorizedKeys: [first, second].map((key) => publicKeyLine(key.public.blob)) },
  });
  const { admin } = stage.gateway;
  const roles: Record<keyof typeof clients, Person["roles"]> = {
    ann: ["user"],
    lea: ["team-lead"],
    zoe: ["platform-admin"],
    otto: ["security-analyst"],
  };
  for (const name of ["ann", "lea", "zoe", "otto"] as const) {
    const person =
      name === "ann" ? { id: stage.person.id } : await admin.people.create({ name, roles: roles[name] });
    ids[name] = person.id;
    clients[name] = await signedIn(stage.gateway, person.id);
  }
});
after(() => stage.close());

const denied = (error: unknown) => isGatehouseError(error, "denied");
const notFound = (error: unknown) => isGatehouseError(error, "not_found");
const gatehouse = (...args: string[]) => run(cli, [...args, "--data-dir", stage.gateway.dataDir]);

function shell(name: string, address = stage.address) {
  const { gateway, person } = stage;
  return openTerminal(
    ["ssh", "-tt", ...sshOptions(gateway, person), address, "PS1='ready>' exec sh -i"],
    join(gateway.dataDir, name),
  );
}

test("who leads a team sees, joins and ends the sessions of its members, and pauses none", async () => {
  const terminal = shell("team");
  try {
    await terminal.shows(/ready>/);
    const { id } = await awaitSession(stage.gateway, ({ state }) => state === "live");
    const { lea } = clients;
    await assert.rejects(lea.sessions.get(id), notFound);
    await assert.rejects(lea.sessions.terminate(id, { reason: "not mine" }), notFound);
    const made = await gatehouse("teams", "add", "web", "--lead", "lea", "--member", "ann");
    assert.equal(made.code, 0, made.stderr);
    const seen = await lea.sessions.get(id);
    assert.deepEqual(seen.live?.may, ["session.join", "session.terminate"]);
    await assert.rejects(lea.sessions.pause(id, { reason: "stop" }), denied);
    await lea.sessions.terminate(id, { reason: "that will do" });
    await terminal.shows(/that will do/);
    await terminal.exited;
    const { session } = await recordedSession(stage.gateway, (found) => found.id === id);
    assert.equal(session.end?.reason, "terminated");
    const [event] = await awaitEvents(stage.gateway, { event: "team.create" });
    assert.deepEqual([event?.fields["members"], event?.fields["leads"]], [["ann", "lea"], ["lea"]]);
    await assert.rejects(lea.teams.create({ name: "mine" }), denied);
  } finally {
    terminal.kill();
  }
});

test("a lock ends what is live of somebody at once, and lets nothing new begin until it is lifted", async () => {
  const terminal = shell("lock");
  try {
    await terminal.shows(/ready>/);
    await assert.rejects(clients.ann.locks.create({ on: "user", name: "otto", reason: "revenge" }), denied);
    await assert.rejects(clients.otto.locks.create({ on: "user", name: "nobody", reason: "typo" }), (error) =>
      isGatehouseError(error, "invalid"),
    );
    const { id } = await awaitSession(stage.gateway, ({ state }) => state === "live");
    const set = await clients.otto.locks.create({ on: "user", name: "ann", reason: "lost laptop" });
    assert.deepEqual(set.ended, [id]);
    await terminal.shows(/user ann is locked: lost laptop/);
    await terminal.exited;
    const refused = await stage.ssh([stage.address, "true"]);
    assert.equal(refused.code, 255);
    assert.match(refused.stderr, /gatehouse: you are locked out: lost laptop\./);
    await assert.rejects(signedIn(stage.gateway, ids.ann), {
      code: "denied",
      message: "you are locked out: lost laptop",
    });
    const attempts = await awaitEvents(stage.gateway, { event: "user.login", user: "ann" });
    assert.deepEqual(
      attempts.slice(-2).map(({ success, fields }) => [success, fields["method"], fields["error"]]),
      ["ssh_key", "link"].map((method) => [false, method, "you are locked out: lost laptop"]),
    );
    await assert.rejects(clients.ann.sessions.list(), denied, "the web pages are shut too");
    const lifted = await gatehouse("unlock", set.lock.id);
    assert.equal(lifted.code, 0, lifted.stderr);
    assert.equal((await stage.ssh([stage.address, "true"])).code, 0);
    const [created] = await awaitEvents(stage.gateway, { event: "lock.created" });
    assert.deepEqual([created?.code, created?.user, created?.fields["name"]], ["TLK00I", "otto", "ann"]);
    assert.equal((await awaitEvents(stage.gateway, { event: "lock.deleted" }))[0]?.code, "TLK01I");
  } finally {
    terminal.kill();
  }
});

test("a locked address shuts recordings and live sessions too", async () => {
  const { admin } = stage.gateway;
  const { items } = await admin.sessions.list({ limit: 1 });
  const id = items[0]?.id ?? "";
  await clients.otto.recordings.get(id);
  const { lock } = await admin.locks.create({ on: "address", name: "127.0.0.0/8", reason: "drill" });
  await assert.rejects(clients.otto.recordings.verify(id));
  await assert.rejects(clients.otto.sessions.terminate(id, { reason: "x" }), notFound);
  await admin.locks.remove(lock.id);
  await clients.otto.recordings.get(id);
});

test("what is asked for opens when somebody else approves it, and its sessions end when it is taken back", async () => {
  const { gateway } = stage;
  const target = await addTarget(gateway, stage.sshd, { name: "db-01", allowRoles: [] });
  const address = stage.address.replace("web-01", "db-01");
  const unknown = await stage.ssh([address, "true"]);
  assert.doesNotMatch(unknown.stderr, /requests create/, "a target that one may not ask for is not told of");

  const policy = join(gateway.dataDir, "policy.yaml");
  writeFileSync(policy, "requests:\n  askers: { roles: [user] }\n  reviewers: { roles: [platform-admin] }\n");
  const set = await gatehouse("targets", "policy", "db-01", "--set", policy);
  assert.equal(set.code, 0, set.stderr);
  const hinted = await stage.ssh([address, "true"]);
  assert.match(hinted.stderr, /db-01 opens to you as .* when somebody approves it/);
  assert.match(hinted.stderr, /gatehouse requests create db-01 --login/);

  const explain = (...args: string[]) =>
    gatehouse("access", "explain", "ann", "session.open", ...args, "--json");
  const db = `target:db-01/${stage.sshd.user}`;
  const no = await explain(db);
  assert.equal(no.code, 3, no.stderr);
  assert.equal((JSON.parse(no.stdout.toString()) as { rule: string }).rule, "deny-by-default");
  const { ann, zoe, otto } = clients;
  const asked = await ann.requests.create({
    kind: "target",
    targetId: target.id,
    logins: [stage.sshd.user],
    reason: "INC-42",
    minutes: 1,
  });
  assert.deepEqual([asked.state, asked.approvals, asked.mayReview], ["pending", 1, false]);
  await assert.rejects(ann.requests.review(asked.id, { verdict: "approve" }), denied);
  await assert.rejects(otto.requests.review(asked.id, { verdict: "approve" }), denied, "no reviewer of it");
  await assert.rejects(clients.lea.requests.get(asked.id), notFound);
  assert.equal((await stage.ssh([address, "true"])).code, 255, "asking alone opens nothing");
  assert.equal((await zoe.requests.list({ state: "pending" })).items[0]?.mayReview, true);
  const approved = await zoe.requests.review(asked.id, { verdict: "approve", comment: "go on" });
  assert.equal(approved.state, "approved");
  const yes = await explain(db);
  assert.equal(yes.code, 0, yes.stderr);
  const told = JSON.parse(yes.stdout.toString()) as { rule: string; request: string };
  assert.deepEqual([told.rule, told.request], ["approved-request", asked.id]);
  await assert.rejects(zoe.requests.review(asked.id, { verdict: "deny" }), (error) =>
    isGatehouseError(error, "conflict"),
  );

  const terminal = shell("request", address);
  try {
    await terminal.shows(/ready>/);
    // Less than five minutes are left from the beginning.
    await terminal.shows(/the access that was approved for this session ends at/);
    const { id } = await awaitSession(gateway, ({ state }) => state === "live");
    const [start] = await awaitEvents(gateway, { event: "session.start", session: id });
    assert.equal(start?.fields["access_request_id"], asked.id);
    await ann.requests.cancel(asked.id);
    await terminal.shows(/the access that was approved for it has ended/);
    await terminal.exited;
    assert.equal((await stage.ssh([address, "true"])).code, 255);
    for (const [event, code] of [
      ["access_request.create", "T5000I"],
      ["access_request.review", "T5002I"],
      ["access_request.update", "T5001I"],
      ["access_request.delete", "T5003I"],
    ] as const) {
      const [found] = await awaitEvents(gateway, { event });
      assert.deepEqual([found?.code, found?.fields["request_id"]], [code, asked.id], event);
    }
  } finally {
    terminal.kill();
  }
});

test("a recording under four eyes opens with somebody else's approval only, to whoever has it", async () => {
  const { gateway } = stage;
  const [web] = (await gateway.admin.targets.list({ q: "web-01" })).items;
  await gateway.admin.targets.update(web?.id ?? "", { access: { playback: {} } });
  assert.equal((await stage.ssh([stage.address, "echo for four eyes"])).code, 0);
  const { id } = await awaitStored(gateway, ({ command }) => command?.includes("four eyes") === true);
  const { zoe, otto } = clients;
  const play = async (client: Client) => {
    for await (const frame of client.recordings.frames(id)) return frame.kind;
    return undefined;
  };
  await assert.rejects(
    play(zoe),
    (error) => denied(error) && /--recording/.test((error as GatehouseError).hint ?? ""),
  );
  const terms = await zoe.requests.termsOfRecording(id);
  assert.deepEqual([terms.targetName, terms.logins, terms.minutesMax], ["web-01", [], 60]);
  await assert.rejects(clients.ann.requests.termsOfTarget(web?.id ?? ""), notFound);
  const asked = await zoe.requests.create({ kind: "playback", sessionId: id, reason: "audit", minutes: 10 });
  await assert.rejects(zoe.requests.review(asked.id, { verdict: "approve" }), denied);
  const waitsFor = async (client: Client) =>
    (await client.requests.list({ toReview: "true" })).items.map((one) => one.id);
  assert.deepEqual([await waitsFor(zoe), await waitsFor(otto)], [[], [asked.id]]);
  const approved = await gateway.admin.requests.get(asked.id);
  assert.equal(approved.state, "pending");
  await otto.requests.review(asked.id, { verdict: "approve" });
  assert.deepEqual(await waitsFor(otto), []);
  assert.equal(await play(zoe), "session.start");
  await assert.rejects(play(otto), "the approval is hers alone");
  // Taking the policy away later opens nothing that was recorded under it.
  await gateway.admin.targets.update(web?.id ?? "", { access: {} });
  await assert.rejects(play(otto));
});

test("a role is had for a time when those who may give it approve, and what lives by it ends with it", async () => {
  const { gateway } = stage;
  const { admin } = gateway;
  const { ann, lea, zoe, otto } = clients;
  await addTarget(gateway, stage.sshd, { name: "db-02", allowRoles: [], labels: { tier: "db" } });
  const address = stage.address.replace("web-01", "db-02");
  await admin.roles.set("db-operator", {
    statements: [{ actions: ["session.open"], targets: { tier: ["db"] }, logins: ["*"] }],
  });
  await admin.roles.set("clerk", {
    statements: [{ actions: ["person.read", "person.write", "role.write", "role.read"] }],
  });
  await admin.people.update(ids.lea, { roles: ["team-lead", "clerk"] });
  const invalid = (error: unknown) => isGatehouseError(error, "invalid");
  const asks = { kind: "role" as const, role: "db-operator", reason: "on call", minutes: 5 };
  await assert.rejects(ann.requests.create(asks), notFound, "nobody may ask for it yet");

  const policy = join(gateway.dataDir, "role-policy.yaml");
  writeFileSync(
    policy,
    "reviewers: { roles: [security-analyst, platform-admin, db-operator], teamLeads: true }\nminutesMax: 5\n",
  );
  const set = await gatehouse("roles", "policy", "db-operator", "--set", policy);
  assert.equal(set.code, 0, set.stderr);
  await admin.roles.setRequests("auditor", {});
  await assert.rejects(admin.roles.setRequests("user", {}), invalid);
  await assert.rejects(admin.roles.setRequests("auditor", { reviewers: { roles: ["nobodys"] } }), invalid);
  await assert.rejects(lea.roles.setRequests("platform-admin", { reviewers: { users: ["lea"] } }), denied);
  await assert.rejects(ann.roles.setRequests("db-operator", {}), denied);
  const askable = await ann.requests.roles();
  assert.deepEqual(
    askable.map(({ role, minutesMax }) => [role, minutesMax]),
    [
      ["auditor", 480],
      ["db-operator", 5],
    ],
  );
  await assert.rejects(ann.requests.create({ ...asks, minutes: 6 }), invalid);
  await assert.rejects(zoe.requests.create({ ...asks, role: "platform-admin" }), notFound);
  const { token } = await ann.tokens.create(ids.ann, { name: "robot", scopes: ["request.*"] });
  const robot = createClient({ baseUrl: gateway.web, token });
  await assert.rejects(robot.requests.create(asks), denied, "a token asks for no role");

  const asked = await ann.requests.create(asks);
  assert.deepEqual(asked.wanted, { kind: "role", role: "db-operator" });
  // Reviewers by the policy who have not got the role give it no more than anybody else.
  for (const client of [ann, otto, lea])
    await assert.rejects(client.requests.review(asked.id, { verdict: "approve" }), denied);
  assert.equal((await otto.requests.get(asked.id)).mayReview, false);
  assert.equal((await stage.ssh([address, "true"])).code, 255);
  await lea.people.signInLink(ids.ann);
  assert.equal((await zoe.requests.review(asked.id, { verdict: "approve" })).state, "approved");
  await assert.rejects(lea.people.signInLink(ids.ann), denied, "who is she now could do what lea may not");
  assert.ok((await ann.targets.list({ q: "db-02" })).items.length === 1, "it is among her targets");

  const explained = await gatehouse(
    "access",
    "explain",
    "ann",
    "session.open",
    `target:db-02/${stage.sshd.user}`,
  );
  assert.match(explained.stdout.toString(), new RegExp(`role-db-operator[\\s\\S]*${asked.id}`));
  // What she has for a time she does not give.
  const hers = await lea.requests.create({ ...asks, reason: "me too" });
  await assert.rejects(ann.requests.review(hers.id, { verdict: "approve" }), denied);
  await lea.requests.cancel(hers.id);
  await assert.rejects(admin.roles.remove("db-operator"), (error) => isGatehouseError(error, "conflict"));

  const terminal = shell("by-role", address);
  try {
    await terminal.shows(/ready>/);
    await terminal.shows(/the access that was approved for this session ends at/);
    const taken = await gatehouse("requests", "cancel", asked.id);
    assert.equal(taken.code, 3, "it is hers to take back");
    await ann.requests.cancel(asked.id);
    await terminal.shows(/the access that was approved for it has ended/);
    await terminal.exited;
  } finally {
    terminal.kill();
  }
  assert.equal((await stage.ssh([address, "true"])).code, 255);

  await assert.rejects(ann.audit.list(), denied);
  const watch = await ann.requests.create({ ...asks, role: "auditor" });
  await zoe.requests.review(watch.id, { verdict: "approve" });
  const { items } = await ann.audit.list({ event: "access_request.create" });
  assert.deepEqual(items[0]?.fields["roles"], ["auditor"]);
  await ann.requests.cancel(watch.id);
  await assert.rejects(ann.audit.list(), denied);
  const told = await awaitEvents(gateway, { event: "role.updated" });
  const changed = told.find(({ fields }) => fields["name"] === "auditor");
  assert.match(String(changed?.fields["requests"]), /"minutesMax":480/);
  await admin.people.update(ids.lea, { roles: ["team-lead"] });
});

test("the key to a target is rotated once its sshd has let the gate in with it, and stays where it does not", async () => {
  const { gateway, sshd } = stage;
  const { admin } = gateway;
  const target = await addTarget(gateway, sshd, { name: "rot-01" });
  const address = stage.address.replace("web-01", "rot-01");
  const workshop = createWorkshop();
  try {
    const file = join(workshop.folder, "key");
    const give = (word: string[], key: PrivateKey) => {
      writeFileSync(file, writePrivateKey(key, { random: systemRandom }));
      const words = ["targets", "credential", ...word, "rot-01", sshd.user, "--key-file", file];
      return workshop.run([...words, "--data-dir", gateway.dataDir]);
    };
    const usedLast = () =>
      [...sshd.log().matchAll(/Accepted publickey .* ED25519 (SHA256:\S+)/g)].at(-1)?.[1];
    const [first, second, strange] = keys;
    assert.equal((await give([], first)).code, 0);
    assert.equal((await stage.ssh([address, "true"])).code, 0);
    assert.equal(usedLast(), fingerprint(first.public.blob));
    const refused = await give(["rotate"], strange);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /stays as it was: rot-01 refused the gate's credential for/);
    const rotated = await give(["rotate"], second);
    assert.equal(rotated.code, 0, rotated.stderr);
    assert.match(rotated.stdout, /the gate signs in as .* at rot-01 with a private-key/);
    assert.equal((await stage.ssh([address, "true"])).code, 0);
    assert.equal(usedLast(), fingerprint(second.public.blob));
    const keyFile = join(gateway.dataDir, "keys", "credentials.key");
    const before = readFileSync(keyFile, "utf8");
    const rekeyed = await workshop.run(["credentials", "rekey", "--data-dir", gateway.dataDir]);
    assert.match(rekeyed.stdout, /sealed \d+ secrets anew under the key [0-9a-f]{16}; 1 old keys are gone/);
    assert.ok(!readFileSync(keyFile, "utf8").includes(before.trim()));
    assert.equal((await stage.ssh([address, "true"])).code, 0);
    await assert.rejects(clients.otto.credentials.rekey(), denied);
    const phases = await awaitEvents(gateway, { event: "credential.rekey" });
    assert.deepEqual(
      phases.map(({ code, fields }) => [code, fields["phase"]]),
      [
        ["GH5004I", "begins"],
        ["GH5004I", "done"],
      ],
    );
    await admin.targets.trustHostKeys(target.id, { kind: "pinned", keys: [] });
    assert.match((await give(["rotate"], first)).stderr, /stays as it was/);
    assert.equal(usedLast(), fingerprint(second.public.blob), "nothing is shown to whom nobody trusts");
    await assert.rejects(
      admin.targets.rotateCredential(target.id, sshd.user, { kind: "certificate" }),
      (error) => isGatehouseError(error, "invalid"),
    );
    await assert.rejects(
      clients.ann.targets.rotateCredential(target.id, sshd.user, { kind: "password", password: "x" }),
      denied,
    );
  } finally {
    workshop.close();
  }
});

test("files make users, teams, roles and targets, say what differs, and change nothing the second time", async () => {
  const { gateway } = stage;
  const workshop = createWorkshop();
  const command = (words: string[], stdin?: string) =>
    workshop.run([...words, "--data-dir", gateway.dataDir], stdin === undefined ? {} : { stdin });
  const apply = (...words: string[]) => command(["apply", "-f", "gate", ...words]);
  try {
    // The worked example, as the page has it.
    const page = readFileSync(new URL("../../docs/declared.md", import.meta.url), "utf8");
    const example = /```yaml\n([\s\S]+?)```/.exec(page)?.[1] ?? "";
    mkdirSync(join(workshop.folder, "gate"));
    const file = join(workshop.folder, "gate", "web.yaml");
    writeFileSync(file, example);
    writeFileSync(join(workshop.folder, "gate", "shop-01.password"), "correct horse\n");
    const looked = await apply("--dry-run");
    assert.equal(looked.code, 0, looked.stderr);
    assert.match(looked.stdout, /^\+ user maria$/m);
    assert.match(looked.stdout, /^ {4}\+ access\.requests|^ {4}\+ access: /m);
    assert.match(looked.stdout, /5 things would change, 0 as declared; nothing was done/);
    assert.equal((await command(["get", "user", "maria"])).code, 4);

    const applied = await apply();
    assert.equal(applied.code, 0, applied.stderr);
    assert.deepEqual(applied.stdout.trimEnd().split("\n"), [
      "made the role web-operator",
      "let people ask for the role web-operator",
      "added the user maria",
      "added the user theo",
      "made the team storefront",
      "added the target shop-01",
      "set the password of deploy on shop-01",
      "5 things changed, 0 were as declared",
    ]);
    const again = await apply();
    assert.equal(again.stdout, "nothing to change: 5 things as declared\n");
    const all = await command(["get", "all"]);
    assert.ok(!all.stdout.includes("correct horse"));
    const round = await command(["apply", "-f", "-", "--dry-run"], all.stdout);
    assert.match(round.stdout, /^nothing to change: \d+ things as declared\n$/, round.stderr);
    assert.match(
      (await command(["access", "explain", "maria", "session.open", "target:shop-01/deploy"])).stdout,
      /target-allows-person/,
    );

    // One field of each, and a place where the gate says no in the middle.
    const [key] = await gateway.admin.people.sshKeys(ids.ann);
    writeFileSync(
      file,
      example
        .replace("opens the web servers as deploy", "opens what is of the web")
        .replace(
          "[team-lead, web-operator]",
          `[team-lead, web-operator, auditor]\nsshKeys: ["${key?.publicKey}"]`,
        )
        .replace("10.0.0.21", "10.0.0.22")
        .replace("allowRoles: [web-operator]", "allowRoles: []\nallowUsers: [maria]"),
    );
    const differs = await apply("--dry-run");
    for (const line of [
      '    ~ description: "opens the web servers as deploy" -> "opens what is of the web"',
      "    ~ roles: +auditor",
      "    ~ host: 10.0.0.21 -> 10.0.0.22",
      "    ~ allowRoles: -web-operator",
      "    ~ allowUsers: +maria",
    ])
      assert.ok(differs.stdout.includes(`${line}\n`), differs.stdout);
    assert.ok(!differs.stdout.includes("\u001b"), "no colours in a pipe");
    const stopped = await apply("--json");
    assert.equal(stopped.code, 1);
    assert.match(
      stopped.stderr,
      /^error: stopped at user theo \(not done: registered an SSH key of theo\): /,
    );
    assert.match(stopped.stderr, /2 of 4 steps were done, and stay/);
    assert.deepEqual(JSON.parse(stopped.stdout).done, [
      "changed the role web-operator",
      "changed roles of the user theo",
    ]);
    writeFileSync(file, readFileSync(file, "utf8").replace(/sshKeys: .*/, "sshKeys: []"));
    assert.deepEqual((await apply()).stdout.split("\n").slice(0, 1), [
      "changed host, allowRoles, allowUsers of the target shop-01",
    ]);
    assert.match((await apply()).stdout, /nothing to change/);
    const made = await awaitEvents(gateway, { event: "target.create" });
    assert.ok(made.some(({ fields }) => fields["name"] === "shop-01"));
  } finally {
    workshop.close();
  }
});

import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { systemClock } from "@gatehouse/kernel";
import { parse } from "yaml";
import type { RestServer } from "../../../gateway/src/api/rest/mod.ts";
import { type MemoryGate, memoryGate } from "../../../gateway/src/api/rest/testing/memory-doors.ts";
import { createWorkshop } from "../testing/run-here.ts";
import { serveHere } from "../testing/serve-here.ts";

const workshop = createWorkshop();
const { folder, run } = workshop;
let gate: MemoryGate;
let server: RestServer;

before(async () => {
  gate = memoryGate(systemClock);
  server = await serveHere(gate, folder);
});
after(async () => {
  await server.close();
  workshop.close();
});

/** Of an answer that must be one. */
async function json(...words: string[]) {
  const { code, stdout, stderr } = await run([...words, "--json"]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

test("on the gateway's own machine no sign-in is asked for", async () => {
  const { code, stdout } = await run(["status"]);
  assert.equal(code, 0);
  assert.match(stdout, /^gateway\s+gate-1 0\.1\.0, .*data\/admin\.sock$/m);
  assert.match(stdout, /^journal\s+.* used and .* reserved of .*$/m);
});

test("sessions are listed for people, for JSON and for YAML with the same content", async () => {
  const expected = gate.samples.map(({ session }) => session);
  const listed = await json("sessions", "ls", "-n", "0");
  assert.deepEqual(
    new Set(listed.map(({ id }: { id: string }) => id)),
    new Set(expected.map(({ id }) => id)),
  );
  assert.deepEqual(parse((await run(["sessions", "ls", "-n", "0", "--format", "yaml"])).stdout), listed);
  const { stdout } = await run(["sessions", "ls", "-n", "0", "--utc"]);
  const [header, ...rows] = stdout.trimEnd().split("\n");
  assert.match(header ?? "", /^session +started +took +person +target +kind +state +recording +ended by$/);
  assert.equal(rows.length, listed.length);
  for (const { id, startedAt, login, target } of listed) {
    const row = rows.find((line) => line.startsWith(id)) ?? "";
    assert.ok(row.includes(`${startedAt.slice(0, 19).replace("T", " ")}Z`), row);
    assert.ok(row.includes(`${login}@${target.name}`), row);
  }
  assert.equal((await json("sessions", "ls", "-n", "2")).length, 2);
});

test("one session is shown whole", async () => {
  const { session } = gate.samples[0] as MemoryGate["samples"][number];
  const { stdout } = await run(["sessions", "show", session.id]);
  assert.match(stdout, new RegExp(`^session +${session.id}$`, "m"));
  assert.match(stdout, new RegExp(`^from +${session.remoteAddress.replaceAll(".", "\\.")}$`, "m"));
  const missing = await run(["sessions", "show", "0199c0de-0000-7000-8000-00000000dead"]);
  assert.equal(missing.code, 4);
  assert.match(missing.stderr, /^error: /);
});

test("a recording is played from the gateway, exported to a file, and not written over", async () => {
  const { session, frames } = gate.samples.find(
    ({ session: { kind, state } }) => kind === "shell" && state === "ended",
  ) as MemoryGate["samples"][number];
  const played = await run(["play", session.id, "--format", "json"]);
  assert.equal(played.code, 0, played.stderr);
  const lines = played.stdout.trimEnd().split("\n");
  assert.deepEqual(
    lines.map((line) => Buffer.from(JSON.parse(line).data, "base64").toString("hex")),
    frames.map(({ data }) => Buffer.from(data).toString("hex")),
  );

  const words = ["recordings", "export", session.id, "-f", "json", "-o", "out.jsonl"];
  assert.equal((await run(words)).code, 0);
  const written = readFileSync(join(folder, "out.jsonl"), "utf8");
  assert.equal((await run([...words.slice(0, -1), "-"])).stdout, written);
  assert.equal(statSync(join(folder, "out.jsonl")).mode & 0o777, 0o600);
  const again = await run(words);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /is there already\nhint: .*--force/);
  assert.equal((await run([...words, "--force"])).code, 0);

  const film = ["recordings", "export", session.id, "-f", "gif", "-o", "-"];
  const cut = ["--from", "1:00", "--to", "1m30s", "--speed", "2x", "--idle", "0.5s"];
  const { stdout } = await run([...film, ...cut]);
  assert.match(stdout, /^gif \{"fromUs":60000000,"toUs":90000000,"speed":2,"idleMaxMs":500\}\n/);
  for (const wrong of [
    ["--speed", "fast"],
    ["--from", "noon"],
  ])
    assert.match(
      (await run([...film, ...wrong])).stderr,
      /^error: (fast is no speed|noon is no moment)\nhint: /,
    );
  assert.match((await run([...film, "--speed", "65"])).stderr, /speed/);
});

test("signing in by link keeps the session where only its owner reads it, and nothing prints it", async () => {
  const { code, stdout, stderr } = await run(["login", server.url], {
    stdin: `${server.url}/sign-in#token=${gate.link("auditor")}\n`,
  });
  assert.equal(code, 0, stderr);
  assert.match(stdout, new RegExp(`^signed in to ${server.url} as otto\\.auditor`));
  const path = join(folder, "config", "gatehouse", "profiles.json");
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const [{ token }] = JSON.parse(readFileSync(path, "utf8")).profiles;
  assert.ok(token.length > 10 && !(stdout + stderr).includes(token));

  const status = await run(["status", "--gateway", server.url]);
  assert.equal(status.code, 0, status.stderr);
  assert.match(status.stdout, /^signed in as +otto\.auditor \(auditor\)$/m);
  const refused = await run(["users", "add", "eve", "--gateway", server.url]);
  assert.equal(refused.code, 3);
  assert.match(refused.stderr, /^error: otto\.auditor may not do this .*\nhint: .*\nrequest: /);

  assert.equal((await run(["logout"])).code, 0);
  const response = await fetch(`${server.url}/api/v1/me`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal(response.status, 401, "the gateway forgot the session, too");
  assert.equal((await run(["status", "--gateway", server.url])).code, 3);
  assert.ok(!readFileSync(path, "utf8").includes(token));
});

test("a link that is used up, or that stands on the command line, signs nobody in", async () => {
  const token = gate.link("jane");
  assert.equal((await run(["login", server.url], { stdin: `${token}\n` })).code, 0);
  assert.equal((await run(["login", server.url], { stdin: `${token}\n` })).code, 3);
  const shown = await run(["login", `${server.url}/#token=${gate.link("jane")}`]);
  assert.equal(shown.code, 2);
  assert.ok(!/token=./.test(shown.stderr));
});

test("a gateway that does not answer is exit 5, with what to do", async () => {
  const none = await run(["status", "--data-dir", "elsewhere"]);
  assert.equal(none.code, 5);
  assert.match(none.stderr, /^error: there is no .*elsewhere\/admin\.sock\nhint: /);
});

test("people get keys and links; a private key never leaves the machine", async () => {
  writeFileSync(join(folder, "new.pub"), "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG9uZQ new@example\n");
  writeFileSync(
    join(folder, "new"),
    "-----BEGIN OPENSSH PRIVATE KEY-----\nsecret\n-----END OPENSSH PRIVATE KEY-----\n",
  );
  const slip = await run(["users", "add", "newcomer", "--key", "new"]);
  assert.equal(slip.code, 2);
  assert.match(slip.stderr, /^error: new is a private key\nhint: .*Nothing was sent\.$/m);

  const added = await json("users", "add", "newcomer", "--role", "auditor", "--key", "new.pub");
  assert.deepEqual([added.name, added.roles], ["newcomer", ["auditor"]]);
  const listed = await json("users", "ls");
  assert.ok(listed.some(({ name }: { name: string }) => name === "newcomer"));
  const keys = await json("users", "keys", "ls", "newcomer");
  assert.deepEqual(
    keys.map(({ fingerprint }: { fingerprint: string }) => fingerprint),
    [added.key.fingerprint],
  );
  const link = await json("users", "link", "newcomer");
  assert.match(link.url, /#token=/);
  assert.equal((await run(["users", "keys", "rm", "newcomer", added.key.fingerprint])).code, 0);
  assert.deepEqual(await json("users", "keys", "ls", "newcomer"), []);
  const nobody = await run(["users", "link", "nobody"]);
  assert.deepEqual([nobody.code, nobody.stderr.split("\n")[0]], [4, "error: there is nobody called nobody"]);
});

test("a host key is trusted by its fingerprint or by an answer, and never without either", async () => {
  const added = await json(
    "targets",
    "add",
    "web-77",
    "10.0.0.77:2222",
    "--login",
    "root",
    "--label",
    "env=test",
  );
  assert.deepEqual(
    [added.host, added.port, added.labels, added.hostTrust.kind],
    ["10.0.0.77", 2222, { env: "test" }, "none"],
  );
  const blind = await run(["targets", "trust", "web-77", "--yes"]);
  assert.equal(blind.code, 2);
  const unasked = await run(["targets", "trust", "web-77"]);
  assert.equal(unasked.code, 2, "nobody can answer");
  assert.match(unasked.stderr, /SHA256:\S+ {2}ssh-/);
  const other = await run(["targets", "trust", "web-77", "--yes", "--fingerprint", "SHA256:other"]);
  assert.equal(other.code, 1);
  assert.match(other.stderr, /does not show SHA256:other; it shows SHA256:.*\nhint: .*Nothing was trusted/);
  const fingerprint = /SHA256:\S+/.exec(unasked.stderr)?.[0] ?? "";
  const trusted = await json("targets", "trust", "web-77", "--yes", "--fingerprint", fingerprint);
  assert.equal(trusted.hostTrust.kind, "pinned");
  assert.deepEqual(
    trusted.hostTrust.keys.map((key: { fingerprint: string }) => key.fingerprint),
    [fingerprint],
  );
});

test("a target's credential is read from a file or from standard input", async () => {
  const password = await run(["targets", "credential", "web-77", "root", "--password"], {
    stdin: "hunter2\n",
  });
  assert.equal(password.code, 0, password.stderr);
  assert.ok(!(password.stdout + password.stderr).includes("hunter2"));
  const [target] = (await json("targets", "ls", "--search", "web-77")) as [{ logins: unknown }];
  assert.match(JSON.stringify(target.logins), /"root".*"password"/);
  assert.equal((await run(["targets", "credential", "web-77", "root"])).code, 2);
  assert.equal((await run(["targets", "rm", "web-77", "--yes"])).code, 0);
  assert.deepEqual(await json("targets", "ls", "--search", "web-77"), []);
});

test("the audit log is listed, exported line by line and verified", async () => {
  const listed = await json("audit", "ls", "-n", "3");
  assert.equal(listed.length, 3);
  const { code, stdout } = await run(["audit", "export"]);
  assert.equal(code, 0);
  const lines = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(lines.slice(-3).toReversed(), listed);
  assert.equal((await run(["audit", "export", "-o", "log.jsonl"])).code, 0);
  assert.equal(readFileSync(join(folder, "log.jsonl"), "utf8"), stdout);
  const verified = await run(["audit", "verify"]);
  assert.match(verified.stdout, /^result +(NOT )?VERIFIED|^result +verified/m);
});

test("public keys are printed as the tools that need them take them", async () => {
  assert.match((await run(["ca", "recordings"])).stdout, /^-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA/);
  assert.match((await run(["ca", "ssh-host"])).stdout, /^ssh-ed25519 AAAA/);
  assert.equal((await run(["ca", "ssh-user"])).code, 4, "this gate has none");
});

test("text is found in a recording, and nothing found is exit code 1", async () => {
  const all = await json("recordings", "ls", "-n", "20");
  const session = all.find(({ kind }: { kind: string }) => kind === "shell");
  const found = await run(["recordings", "search", session.id, "e", "--exact"]);
  assert.equal(found.code, 0, found.stderr);
  assert.match(found.stdout, /\d:\d\d +screen +e/);
  const none = await run(["recordings", "search", session.id, "no such words"]);
  assert.equal(none.code, 1);
  const both = await run(["recordings", "search", session.id, "x", "--exact", "--regex"]);
  assert.match(both.stderr, /either a pattern or exact/);
});

test("a recording is held and let go of; damage is listed until somebody acknowledges it", async () => {
  const { id } = gate.samples.find(({ name }) => name === "incident")?.session ?? assert.fail();
  const held = await json("recordings", "hold", id, "--reason", "case 7", "--owner", "legal");
  assert.deepEqual([held.reason, held.owner], ["case 7", "legal"]);
  const shown = (await run(["sessions", "show", id])).stdout;
  assert.match(shown, /^recording +held$/m);
  assert.match(shown, /^kept until +20/m);
  assert.match(shown, /^held +since .* by local administrator, for legal$/m);
  assert.match(shown, /^held for +case 7$/m);
  assert.equal((await json("sessions", "show", id)).recording.hold.reason, "case 7");
  assert.equal((await run(["recordings", "release", id, "--reason", "settled"])).code, 0);
  assert.doesNotMatch((await run(["sessions", "show", id])).stdout, /^held/m);

  const damaged = gate.samples.find(({ name }) => name === "corrupt")?.session ?? assert.fail();
  gate.raise(damaged.id);
  const { stdout } = await run(["recordings", "alarms"]);
  assert.match(stdout, new RegExp(`^${damaged.id} .* corrupt +segment 2`, "m"));
  assert.equal((await run(["recordings", "acknowledge", damaged.id, "--reason", "a test"])).code, 0);
  assert.deepEqual(await json("recordings", "alarms"), []);
});

test("recordings are listed and checked by the gateway", async () => {
  const listed = await json("recordings", "ls", "-n", "1");
  const { code, stdout } = await run(["recordings", "verify", listed[0].id]);
  assert.equal(code, /NOT VERIFIED/.test(stdout) ? 1 : 0);
  assert.match(stdout, /^chain +(ok|failed|absent): /m);
});

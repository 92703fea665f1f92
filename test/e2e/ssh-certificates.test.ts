/** `gatehouse login` and then plain OpenSSH: certificates of the gate's own authority for people, in an agent and in files. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createClient } from "@gatehouse/contracts/client";
import { isGatehouseError } from "@gatehouse/kernel";
import { plainClient, run, sshKeygen } from "../parts/openssh.ts";
import { awaitEvents, recordedSession } from "../parts/sessions.ts";
import { type Stage, startStage } from "../parts/stage.ts";
import { openBrowser } from "../parts/web.ts";

const cli = fileURLToPath(new URL("../../packages/cli/bin/gatehouse", import.meta.url));

let stage: Stage;
let agent: ChildProcess;
let socket: string;
/** Without a registered key. */
let bea: string;

before(async () => {
  stage = await startStage({
    gateway: { config: { ssh: { listen: "127.0.0.1:0", handshake: { attempts: 2 } } } },
  });
  socket = join(stage.gateway.dataDir, "agent.sock");
  agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise((resolve) => agent.stdout?.once("data", resolve));
  bea = (await stage.gateway.admin.people.create({ name: "bea", roles: ["user"] })).id;
});
after(async () => {
  agent.kill();
  await stage.close();
});

const env = (withAgent: boolean) => ({
  XDG_CONFIG_HOME: join(stage.gateway.dataDir, "profiles"),
  SSH_AUTH_SOCK: withAgent ? socket : "",
});

async function login(words: string[] = [], withAgent = true) {
  const { url } = await stage.gateway.admin.people.signInLink(bea);
  const ran = await run(cli, ["login", stage.gateway.web, "--json", ...words], {
    input: `${url}\n`,
    env: env(withAgent),
  });
  assert.equal(ran.code, 0, ran.stderr);
  const { token } = (
    JSON.parse(readFileSync(join(stage.gateway.dataDir, "profiles/gatehouse/profiles.json"), "utf8")) as {
      profiles: { token: string }[];
    }
  ).profiles[0] as { token: string };
  const said = JSON.parse(ran.stdout.toString()) as {
    ssh: { serial: string; place: string; expiresAt: string } | null;
  };
  return { ...said, client: createClient({ baseUrl: stage.gateway.web, token }) };
}
/** The first word on an option is the one that counts. */
const agentOnly = ["-o", "IdentitiesOnly=no", "-o", "IdentityFile=none"];
const port = () => String(stage.gateway.sshPort);
const viaAgent = (...args: string[]) =>
  run("ssh", [...agentOnly, ...plainClient, "-p", port(), ...args], {
    env: env(true),
  });
const viaFile = (file: string, ...args: string[]) =>
  run("ssh", [...plainClient, "-o", `IdentityFile=${file}`, "-p", port(), ...args], { env: env(false) });
const listed = async () => (await run("ssh-add", ["-L"], { env: env(true) })).stdout.toString();
/** What the audit log says of the next attempt that fails, while `attempt` runs. */
async function failureOf(attempt: () => Promise<{ code: number | null }>): Promise<string> {
  const before = (await stage.gateway.admin.audit.list({ event: "auth", limit: 200 })).items.length;
  assert.equal((await attempt()).code, 255);
  const events = await awaitEvents(stage.gateway, { event: "auth" }, before + 1);
  return String(events.at(-1)?.fields["message"]);
}

test("login puts a certificate into the agent, and ssh and scp go through with no registered key", async () => {
  const { ssh } = await login();
  assert.equal(ssh?.place, "agent");
  const held = await listed();
  assert.equal(held.trim().split("\n").length, 1, held);
  const file = join(stage.gateway.dataDir, "held.pub");
  writeFileSync(file, held);
  const shown = sshKeygen("-L", "-f", file);
  assert.match(shown, /user certificate/);
  assert.match(shown, new RegExp(`Serial: ${ssh.serial}\\n`));
  assert.match(shown, /Key ID: "gatehouse:bea"/);
  assert.match(shown, /Principals: \n\s+bea\n/);
  assert.match(shown, /Critical Options: \(none\)/);

  const ran = await viaAgent(stage.address, "echo through the gate");
  assert.equal(ran.stdout.toString(), "through the gate\n", ran.stderr);
  const { session } = await recordedSession(stage.gateway, ({ user }) => user.name === "bea");
  assert.equal(session.command, "echo through the gate");
  const copied = join(stage.gateway.dataDir, "copied");
  const scp = await run(
    "scp",
    [...agentOnly, ...plainClient, "-P", port(), file, `${stage.address}:${copied}`],
    { env: env(true) },
  );
  assert.equal(scp.code, 0, scp.stderr);
  assert.equal(readFileSync(copied, "utf8"), held);

  const made = (await awaitEvents(stage.gateway, { event: "cert.create" }))[0];
  assert.deepEqual(
    [made?.code, made?.user, made?.fields["serial"], made?.fields["cert_type"]],
    ["TC000I", "bea", ssh.serial, "user"],
  );
  const logins = await awaitEvents(stage.gateway, { event: "user.login", user: "bea" });
  assert.ok(
    logins.some(
      ({ fields }) => fields["method"] === "ssh_certificate" && fields["cert_serial"] === ssh.serial,
    ),
  );
});

test("another sign-in takes the place of the key in the agent, and signing out ends it everywhere", async () => {
  const { ssh, client } = await login();
  assert.equal((await listed()).trim().split("\n").length, 1);
  const certificates = await client.certificates.list(bea);
  assert.ok(certificates.some(({ serial }) => serial === ssh?.serial));
  assert.equal((await viaAgent(stage.address, "true")).code, 0);
  // A copy that was carried away is worth nothing either.
  const file = join(stage.gateway.dataDir, "carried");
  const words = ["certificates", "new", "--gateway", stage.gateway.web];
  const renewed = await run(cli, [...words, "--identity-file", file], { env: env(true) });
  assert.equal(renewed.code, 0, renewed.stderr);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal((await viaFile(file, stage.address, "true")).code, 0);
  const out = await run(cli, ["logout"], { env: env(true) });
  assert.equal(out.code, 0, out.stderr);
  assert.doesNotMatch(await listed(), /ssh-ed25519/);
  const refused = await failureOf(() => viaFile(file, stage.address, "true"));
  assert.match(refused, /revoked, or its session or its person's account has ended/);
});

test("without an agent a file is used, and a key of the person's own is never replaced", async () => {
  const file = join(stage.gateway.dataDir, "id_gate");
  assert.equal((await login([], false)).ssh, null);
  const { ssh } = await login(["--identity-file", file], false);
  assert.equal(ssh?.place, file);
  assert.equal((await viaFile(file, stage.address, "true")).code, 0);
  await login(["--identity-file", file], false);
  const words = ["certificates", "new", "--gateway", stage.gateway.web];
  const refused = await run(cli, [...words, "--identity-file", stage.person.keyFile], { env: env(false) });
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /is no key that a sign-in made/);
});

test("a person finds their certificates on their own page, and ends one there", async () => {
  const file = join(stage.gateway.dataDir, "id_page");
  const words = ["certificates", "new", "--gateway", stage.gateway.web, "--identity-file", file, "--json"];
  const made = await run(cli, words, { env: env(false) });
  assert.equal(made.code, 0, made.stderr);
  const { serial } = JSON.parse(made.stdout.toString()) as { serial: string };
  const browser = await openBrowser();
  try {
    const { page } = await browser.open();
    await page.goto((await stage.gateway.admin.people.signInLink(bea)).url);
    await page.waitForURL(`${stage.gateway.web}/sessions`);
    await page.goto(`${stage.gateway.web}/people/${bea}`);
    await page.getByText(serial).waitFor();
    await page.getByRole("button", { name: `Revoke certificate ${serial}` }).click();
    await page.getByText(serial).waitFor({ state: "detached" });
    assert.equal((await viaFile(file, stage.address, "true")).code, 255);
  } finally {
    await browser.close();
  }
});

test("who is locked, shut out, or had it revoked does not come in by their certificate", async () => {
  const { admin } = stage.gateway;
  const file = join(stage.gateway.dataDir, "id_shut");
  const { ssh, client } = await login(["--identity-file", file], false);
  const { lock } = await admin.locks.create({ on: "user", name: "bea", reason: "lost laptop" });
  const locked = await viaFile(file, stage.address, "true");
  assert.equal(locked.code, 255);
  assert.match(locked.stderr, /locked out: lost laptop/);
  await assert.rejects(client.certificates.createForSsh(await publicLine(file)), (error) =>
    isGatehouseError(error, "denied"),
  );
  await admin.locks.remove(lock.id);
  assert.equal((await viaFile(file, stage.address, "true")).code, 0);

  const revoked = await run(cli, [
    "certificates",
    "revoke",
    ssh?.serial ?? "",
    "--user",
    "bea",
    "--data-dir",
    stage.gateway.dataDir,
  ]);
  assert.equal(revoked.code, 0, revoked.stderr);
  assert.equal((await viaFile(file, stage.address, "true")).code, 255);
  const event = (await awaitEvents(stage.gateway, { event: "cert.delete" }, 2)).at(-1);
  assert.deepEqual(
    [event?.code, event?.fields["owner"], event?.fields["serial"]],
    ["GH1043W", "bea", ssh?.serial],
  );

  await login(["--identity-file", file], false);
  await admin.people.update(bea, { disabled: true });
  assert.equal((await viaFile(file, stage.address, "true")).code, 255);
  await admin.people.update(bea, { disabled: false });
  assert.equal((await viaFile(file, stage.address, "true")).code, 255, "nor when they are let in again");
});

test("a program's token gets no certificate, nor does who only administers the machine", async () => {
  const { token } = await stage.gateway.admin.tokens.create(bea, { name: "ci", scopes: ["self.*"] });
  const line = await publicLine(stage.person.keyFile);
  for (const client of [createClient({ baseUrl: stage.gateway.web, token }), stage.gateway.admin])
    await assert.rejects(client.certificates.createForSsh(line), (error) =>
      isGatehouseError(error, "denied"),
    );
});

test("what the authority signed is refused outside its dates, addresses and options; what others signed, always", async () => {
  const file = join(stage.gateway.dataDir, "id_signed");
  const { ssh } = await login(["--identity-file", file], false);
  const ca = join(stage.gateway.dataDir, "keys", "ssh_person_ca");
  const sign = (authority: string, ...args: string[]) =>
    sshKeygen("-q", "-s", authority, "-z", ssh?.serial ?? "", "-I", "gatehouse:bea", ...args, `${file}.pub`);
  const tried = () => viaFile(file, stage.address, "true");

  sign(ca, "-n", "bea", "-O", "source-address=127.0.0.0/8");
  assert.equal((await tried()).code, 0);
  const bad: [string[], RegExp][] = [
    [["-n", "bea", "-O", "source-address=10.0.0.0/8"], /may not be used from 127\.0\.0\.1/],
    [["-n", "bea", "-V", "20200101:20200102"], /it expired at 2020-01-02/],
    [["-n", "bea", "-V", "20990101:20990102"], /it is not valid before 2099-01-01/],
    [["-n", "root"], /it is for root, not for bea/],
    [[], /it is for nobody, not for bea/],
    [
      ["-n", "bea", "-O", "critical:mars@example.com=1"],
      /critical option mars@example\.com is not understood/,
    ],
    [["-n", "bea", "-O", "force-command=date"], /it is for a single command/],
  ];
  for (const [args, said] of bad) {
    sign(ca, ...args);
    assert.match(await failureOf(tried), said);
  }
  // The authority that targets trust is another one: a person's certificate opens no target, nor the other way about.
  sign(join(stage.gateway.dataDir, "keys", "ssh_user_ca"), "-n", "bea");
  assert.match(await failureOf(tried), /which is not a trusted CA/);
});

test("a certificate can be bound to the address that asked, and lives no longer than configured", async () => {
  const bound = await startStage({
    gateway: {
      config: { ssh: { listen: "127.0.0.1:0", certificates: { lifetime: "10m", bind_address: true } } },
    },
  });
  try {
    const { url } = await bound.gateway.admin.people.signInLink(bound.person.id);
    const file = join(bound.gateway.dataDir, "id_bound");
    const ran = await run(cli, ["login", bound.gateway.web, "--identity-file", file], {
      input: `${url}\n`,
      env: { XDG_CONFIG_HOME: bound.gateway.dataDir },
    });
    assert.equal(ran.code, 0, ran.stderr);
    const shown = sshKeygen("-L", "-f", `${file}-cert.pub`);
    assert.match(shown, /source-address 127\.0\.0\.1\n/);
    const [from = "", to = ""] = /from (\S+) to (\S+)/.exec(shown)?.slice(1) ?? [];
    const minutes = (Date.parse(to) - Date.parse(from)) / 60_000;
    assert.ok(minutes > 14 && minutes <= 15.1, shown);
    const ssh = [...plainClient, "-o", `IdentityFile=${file}`, "-p", String(bound.gateway.sshPort)];
    assert.equal((await run("ssh", [...ssh, bound.address, "true"])).code, 0);
  } finally {
    await bound.close();
  }
});

const publicLine = async (file: string) => sshKeygen("-y", "-f", file).trim();

/** Local accounts at a whole gateway: the first administrator, passwords, who is let in and who must wait. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type Client, createClient } from "@gatehouse/contracts/client";
import type { Me, Problem, SignInAnswer } from "@gatehouse/contracts/rest";
import { isGatehouseError } from "@gatehouse/kernel";
import { type Gateway, startGateway } from "../parts/gateway.ts";

const cli = fileURLToPath(new URL("../../packages/cli/src/main.ts", import.meta.url));
const password = "the gate stands at the river";

let gateway: Gateway;
let home: string;
before(async () => {
  home = mkdtempSync(join(tmpdir(), "gatehouse-home-"));
  gateway = await startGateway();
});
after(async () => {
  await gateway.close();
  rmSync(home, { recursive: true, force: true });
});

/** The command as a process of its own, outside the gateway's folder; what it reads is its standard input. */
function command(words: readonly string[], stdin: string): Promise<{ code: number; out: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [cli, ...words],
      { cwd: home, env: { ...process.env, XDG_CONFIG_HOME: join(home, "config") } },
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code ?? 1) : 0, out: stdout + stderr }),
    );
    child.stdin?.end(stdin);
  });
}

/** A browser of its own, as far as HTTP is concerned. */
function browser(): Client & { cookie(): string } {
  let cookie = "";
  const client = createClient({
    baseUrl: gateway.web,
    async fetch(url, init) {
      const headers = {
        ...(init.headers as Record<string, string>),
        cookie,
        "sec-fetch-site": "same-origin",
      };
      const response = await fetch(url, { ...init, headers });
      for (const one of response.headers.getSetCookie()) cookie = one.split(";")[0] ?? "";
      return response;
    },
  });
  return Object.assign(client, { cookie: () => cookie });
}

function signedIn(answer: SignInAnswer): Me {
  assert.ok(!("needs" in answer), "a second factor was asked for");
  return answer;
}
const tokenIn = (text: string) => /#token=([\w-]+)/.exec(text)?.[1] ?? "";
async function linked(name: string) {
  const person = await gateway.admin.people.create({ name });
  const own = browser();
  await own.auth.exchangeLink(tokenIn((await gateway.admin.people.signInLink(person.id)).url));
  return { person, own };
}
const eventsOf = async (user: string, event: string) =>
  (await gateway.admin.audit.list({ event, limit: 100 })).items.filter((one) => one.user === user);

test("the first administrator comes by the printed link, sets a password, and comes back by it", async () => {
  const own = browser();
  const me = signedIn(await own.auth.exchangeLink(tokenIn(gateway.output())));
  assert.deepEqual([me.name, me.method], ["admin", "link"]);
  assert.equal((await own.accounts.signInFacts(me.id)).password, null);
  await own.accounts.setPassword({ password });
  assert.ok((await own.accounts.signInFacts(me.id)).password);

  const again = browser();
  assert.equal(signedIn(await again.auth.signInByPassword({ name: "admin", password })).method, "password");
  assert.notEqual(again.cookie(), own.cookie(), "a session of its own");
  assert.deepEqual(
    (await eventsOf("admin", "user.login")).map(({ success, fields }) => [success, fields["method"]]),
    [
      [true, "password"],
      [true, "link"],
    ],
  );
  assert.equal((await eventsOf("admin", "user.password_change")).length, 1);
});

test("a stranger cannot tell an unknown name, a wrong password, no password and a shut account apart", async () => {
  const { person: ada, own } = await linked("ada");
  await own.accounts.setPassword({ password });
  await linked("without");
  const { person: gone, own: goneOwn } = await linked("gone");
  await goneOwn.accounts.setPassword({ password });
  await gateway.admin.people.update(gone.id, { disabled: true });
  const answers = await Promise.all(
    (
      [
        ["ada", "not the password"],
        ["without", password],
        ["gone", password],
        ["nobody.at.all", password],
        ["'; drop table users; --", password],
      ] as const
    ).map(async ([name, given]) => {
      const response = await fetch(`${gateway.web}/api/v1/auth/password`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ name, password: given }),
      });
      const { requestId: _, ...problem } = (await response.json()) as Problem;
      return { status: response.status, cookies: response.headers.getSetCookie(), problem };
    }),
  );
  for (const answer of answers) assert.deepEqual(answer, answers[0]);
  assert.deepEqual([answers[0]?.status, answers[0]?.cookies], [401, []]);
  assert.equal(answers[0]?.problem.detail, "wrong name or password");
  const failed = await gateway.admin.audit.list({ event: "user.login", success: "false" });
  assert.deepEqual(
    failed.items.map(({ user }) => user).toSorted(),
    ["ada", "gone", "unknown", "unknown", "without"],
    "what a stranger typed is not in the log",
  );
  assert.ok(ada.id);
});

test("another password needs the one that is, unless one came by a link just now; the other sessions end", async () => {
  const { own } = await linked("bob");
  const weak = await own.accounts.setPassword({ password: "short" }).catch((error: unknown) => error);
  assert.ok(isGatehouseError(weak, "invalid"));
  assert.match(weak.message, /at least 12 characters/);
  await own.accounts.setPassword({ password });
  const first = browser();
  const second = browser();
  await first.auth.signInByPassword({ name: "bob", password });
  await second.auth.signInByPassword({ name: "bob", password });
  const next = "another gate at the sea";
  for (const current of [undefined, "not the password"])
    await assert.rejects(
      first.accounts.setPassword({ password: next, ...(current && { current }) }),
      (error) => isGatehouseError(error, "denied"),
    );
  await first.accounts.setPassword({ password: next, current: password });
  assert.equal((await first.auth.me()).name, "bob", "the session that did it goes on");
  for (const other of [second, own])
    await assert.rejects(other.auth.me(), (error) => isGatehouseError(error, "unauthenticated"));
  await assert.rejects(browser().auth.signInByPassword({ name: "bob", password }));
  await browser().auth.signInByPassword({ name: "bob", password: next });
  assert.deepEqual(
    (await eventsOf("bob", "user.password_change")).map(({ success }) => success),
    [true, false, true],
  );
});

test("neither a program nor the machine's administrator sets a password; an administrator takes one away", async () => {
  await assert.rejects(gateway.admin.accounts.setPassword({ password }), (error) =>
    isGatehouseError(error, "denied"),
  );
  const { person, own } = await linked("carl");
  await own.accounts.setPassword({ password });
  const { token } = await own.tokens.create(person.id, { name: "ci", scopes: ["self.*"] });
  await assert.rejects(
    createClient({ baseUrl: gateway.web, token }).accounts.setPassword({ password }),
    (error) => isGatehouseError(error, "denied"),
  );
  await gateway.admin.accounts.removePassword(person.id);
  await assert.rejects(browser().auth.signInByPassword({ name: "carl", password }));
  assert.equal((await eventsOf("local-administrator", "user.password_delete")).length, 1);
});

test("the command signs in by password and sets another", async () => {
  const { own } = await linked("dora");
  await own.accounts.setPassword({ password });
  const login = await command(["login", gateway.web, "--user", "dora"], `${password}\n`);
  assert.equal(login.code, 0, login.out);
  assert.match(login.out, /as dora/);
  const next = "a gate of iron and oak";
  const wrong = await command(["passwd"], `not the password\n${next}\n`);
  assert.equal(wrong.code, 3, wrong.out);
  const passwd = await command(["passwd"], `${password}\n${next}\n`);
  assert.equal(passwd.code, 0, passwd.out);
  assert.ok(!(login.out + wrong.out + passwd.out).includes(password));
  await browser().auth.signInByPassword({ name: "dora", password: next });
  const refused = await command(["login", gateway.web, "--user", "dora"], `${password}\n`);
  assert.equal(refused.code, 3, refused.out);
});

test("guessing is slowed down for known and unknown names alike, and a restart forgets nothing", async () => {
  // Their own gateway: an address that guesses is slowed down as well.
  const dataDir = mkdtempSync(join(tmpdir(), "gatehouse-"));
  let guessed = await startGateway({ dataDir });
  const guess = (name: string, given: string) =>
    fetch(`${guessed.web}/api/v1/auth/password`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name, password: given }),
    });
  try {
    const { id } = await guessed.admin.people.create({ name: "erin" });
    const client = createClient({ baseUrl: guessed.web });
    assert.deepEqual(
      (await client.auth.waysIn()).map(({ kind }) => kind),
      ["password", "passkey", "link"],
    );
    for (let i = 0; i < 5; i++) assert.equal((await guess("erin", `guess number ${i}`)).status, 401);
    const shut = await guess("erin", "guess number 6");
    assert.equal(shut.status, 429);
    assert.ok(Number(shut.headers.get("retry-after")) > 0);
    const problem = (await shut.json()) as Problem;
    assert.deepEqual([problem.code, problem.detail], ["rate_limited", "too many attempts failed"]);
    await guessed.kill("SIGKILL");
    guessed = await startGateway({ dataDir });
    // The first wait may be over meanwhile, so this one may be let through; the next is not, unless all was forgotten.
    await guess("erin", "guess number 7");
    assert.equal((await guess("erin", "guess number 8")).status, 429, "kept in the database");
    for (let i = 0; i < 5; i++) assert.equal((await guess("frank", `guess number ${i}`)).status, 401);
    assert.equal((await guess("frank", "guess number 6")).status, 429, "nobody called frank is here");
    // A link is no guess, and lets the person themselves in.
    const token = tokenIn((await guessed.admin.people.signInLink(id)).url);
    assert.equal(
      signedIn(await createClient({ baseUrl: guessed.web }).auth.exchangeLink(token)).name,
      "erin",
    );
  } finally {
    await guessed.kill("SIGTERM");
    rmSync(dataDir, { recursive: true, force: true });
  }
});

test("where passwords are closed, none lets anybody in and the page does not ask for one", async () => {
  const closed = await startGateway({ config: { sign_in: { passwords: false } } });
  try {
    const client = createClient({ baseUrl: closed.web });
    assert.deepEqual(await client.auth.waysIn(), [{ kind: "passkey" }, { kind: "link" }]);
    await assert.rejects(client.auth.signInByPassword({ name: "admin", password }), (error) =>
      isGatehouseError(error, "denied"),
    );
  } finally {
    await closed.close();
  }
});

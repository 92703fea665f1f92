/** Search over all recordings of a whole gateway: what stood on screens and was run is found, by who may see it, and lies nowhere in plain. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Client } from "@gatehouse/contracts/client";
import type { Search, SearchPage, Session } from "@gatehouse/contracts/rest";
import { addPerson, addTarget, sshOptions } from "../parts/gateway.ts";
import { type Ran, run } from "../parts/openssh.ts";
import { type Postgres, psql, startPostgres } from "../parts/postgres.ts";
import { awaitEvents, awaitStored } from "../parts/sessions.ts";
import { signedIn } from "../parts/signed-in.ts";
import { type Stage, startStage } from "../parts/stage.ts";
import { openTerminal } from "../parts/terminal.ts";
import { openBrowser } from "../parts/web.ts";

let stage: Stage;
let postgres: Postgres;
let browser: Awaited<ReturnType<typeof openBrowser>>;
const people = { otto: "" };
const who: Record<"ann" | "bob" | "lea" | "otto" | "eve", Client> = {} as never;
const sessions: Record<"screen" | "exec" | "sql", Session> = {} as never;

before(async () => {
  browser = await openBrowser();
  [stage, postgres] = await Promise.all([
    startStage({
      gateway: {
        config: {
          postgres: { listen: "127.0.0.1:0" },
        },
      },
      target: { labels: { env: "prod" } },
    }),
    startPostgres(),
  ]);
  const { gateway, sshd } = stage;
  const { admin } = gateway;
  const bob = await addPerson(gateway, "bob");
  const lea = await addPerson(gateway, "lea", ["user", "team-lead"]);
  const otto = await addPerson(gateway, "otto", ["auditor"]);
  const eve = await addPerson(gateway, "eve");
  await admin.teams.create({
    name: "web",
    members: [
      { userId: stage.person.id, leads: false },
      { userId: lea.id, leads: true },
    ],
  });
  await addTarget(gateway, sshd, {
    name: "vault-01",
    access: { playback: { approvals: 1 } },
  });
  people.otto = otto.id;
  for (const [name, { id }] of Object.entries({ ann: stage.person, bob, lea, otto, eve }))
    who[name as keyof typeof who] = await signedIn(gateway, id);

  await Promise.all([
    play(),
    (async () => {
      await ssh(
        bob,
        `${sshd.user}+web-01@127.0.0.1`,
        "printf 'batch-\\150ello\\n'; cat >/dev/null",
        "typed by bob",
      );
      await ssh(bob, `${sshd.user}+vault-01@127.0.0.1`, "printf 'behind-four-\\145yes\\n'");
    })(),
    query(),
  ]);
  sessions.screen = await stored(({ kind, user }) => kind === "shell" && user.name === "ann");
  sessions.exec = await stored(({ target, user }) => target.name === "web-01" && user.name === "bob");
  await stored(({ target }) => target.name === "vault-01");
  sessions.sql = await stored(({ protocol }) => protocol === "postgres");
  // The gateway does it by itself; it is waited for by asking for the same.
  for (const { id } of [sessions.screen, sessions.exec, sessions.sql])
    await admin.recordings.makeIndex(id, {});
});
after(() => Promise.all([browser?.close(), stage?.close(), postgres?.close()]));

function ssh(
  person: Parameters<typeof sshOptions>[1],
  to: string,
  command: string,
  input = "",
): Promise<Ran> {
  return run("ssh", [...sshOptions(stage.gateway, person), to, command], { input });
}

const stored = (fits: (session: Session) => boolean) => awaitStored(stage.gateway, fits);

/** Programs that draw: what they showed is what is found, not how they wrote it. */
async function play(): Promise<void> {
  const { gateway, person, address } = stage;
  const file = join(gateway.dataDir, "text.txt");
  writeFileSync(
    file,
    Array.from(
      { length: 120 },
      (_, i) => `line ${i} grün 日本語の行 🎉👩‍💻 cafe\u0301 ${i === 110 ? "needle-in-less" : ""}`,
    ).join("\n"),
  );
  const terminal = openTerminal(
    ["ssh", "-tt", ...sshOptions(gateway, person), address],
    join(gateway.dataDir, "resize-search"),
    { cols: 80, rows: 24 },
  );
  await terminal.shows(/[$#] /);
  terminal.type("export LC_ALL=C.UTF-8 PS1='re''ady> '\r");
  await terminal.shows(/ready> /);
  // In bytes the word is never whole: the cursor goes back and forth.
  terminal.type("printf 'dle-in-pieces\\rnee\\n'\r".replace("dle", "\\033[3Cdle"));
  await terminal.shows(/ready> /);
  terminal.type(`less ${file}\r`);
  await terminal.shows(/line 3/);
  terminal.type("G");
  await terminal.shows(/line 119/);
  terminal.type("q");
  await terminal.shows(/ready> /);
  terminal.type(`vim -u NONE -N -n ${file}\r`);
  await terminal.shows(/line 3/);
  terminal.type("iwritten in vim\u001b");
  await terminal.shows(/vim/);
  terminal.type(":q!\r");
  await terminal.shows(/ready> /);
  // What no echo shows.
  terminal.type("stty -echo; echo no''w; read secret\r");
  await terminal.shows(/now/);
  terminal.type("hunter2-unseen\r");
  await terminal.shows(/ready> /);
  terminal.type("exit\r");
  await terminal.exited;
}

async function query(): Promise<void> {
  const { admin, dataDir } = stage.gateway;
  const made = await admin.targets.create({
    name: "orders",
    protocol: "postgres",
    host: "127.0.0.1",
    port: postgres.port,
    logins: ["postgres"],
    allowRoles: ["user"],
  });
  await admin.targets.setCredential(made.id, "postgres", { kind: "password", password: postgres.password });
  await admin.targets.trustHostKeys(made.id, { kind: "pinned", keys: [postgres.certificate] });
  const { host, port, user, password, certificate } = await who.ann.targets.openConnection(
    made.id,
    "postgres",
  );
  const file = join(dataDir, "gate.pem");
  writeFileSync(file, certificate);
  const way = {
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGPASSWORD: password,
    PGSSLMODE: "verify-full",
    PGSSLROOTCERT: file,
    PGDATABASE: "postgres",
  };
  const ran = await psql(way, "select 'needle-in-sql';\ncreate role r password 'hunter2-sql';\n");
  assert.equal(ran.code, 0, ran.stderr);
}

/** All pages. */
async function found(client: Client, search: Search): Promise<SearchPage["items"]> {
  const items: SearchPage["items"] = [];
  let page: SearchPage | undefined;
  do {
    page = await client.search({ ...search, ...(page && { cursor: page.next ?? "" }) });
    items.push(...page.items);
  } while (page.next !== null);
  assert.equal(page.progress.searched, page.progress.sessions);
  assert.equal(page.unread, 0);
  return items;
}
const idsOf = (items: SearchPage["items"]) => items.map(({ session }) => session.id);

test("what stood on the screen is found where it stood, and what was in the bytes alone is not", async () => {
  for (const text of [
    "needle-in-less",
    "NEEDLE-in-pieces",
    "日本語の行 🎉",
    "grün",
    "GRÜN",
    "written in vim",
    "line 119",
  ]) {
    const [one, ...others] = await found(who.ann, { text, perSession: 3 });
    assert.deepEqual([one?.session.id, others], [sessions.screen.id, []], text);
    for (const { text: line, at, length } of one?.hits ?? [])
      assert.equal(line.slice(at, at + length).toLowerCase(), text.toLowerCase());
    // The player finds it at that moment.
    const [hit] = one?.hits ?? [];
    const alone = await who.ann.recordings.search(sessions.screen.id, { text });
    assert.ok(alone.hits.some(({ timeUs }) => timeUs === hit?.timeUs));
  }
  assert.ok((await found(who.ann, { text: "café" })).length > 0, "however it is composed");
  assert.deepEqual(idsOf(await found(who.ann, { text: "line [0-9]+ gr.n .*needle-in", mode: "regex" })), [
    sessions.screen.id,
  ]);
  for (const text of ["\u001b[3Cdle", "[?1049h", "dle-in-piecesnee"])
    assert.deepEqual(await found(who.ann, { text }), [], text);
  assert.deepEqual(await found(who.ann, { text: "Needle-in-less", mode: "exact" }), []);
});

test("statements, commands and output of commands are found; filters narrow", async () => {
  assert.deepEqual(idsOf(await found(who.ann, { text: "needle-in-sql" })), [sessions.sql.id]);
  assert.deepEqual(idsOf(await found(who.bob, { text: "batch-hello", sources: ["screen"] })), [
    sessions.exec.id,
  ]);
  assert.deepEqual(idsOf(await found(who.bob, { text: "batch-\\150ello", sources: ["command"] })), [
    sessions.exec.id,
  ]);
  const both = [sessions.screen.id, sessions.sql.id].sort();
  assert.deepEqual(idsOf(await found(who.otto, { text: "needle-in-" })).sort(), both);
  for (const [filter, expected] of [
    [{ user: "ann" }, both],
    [{ user: "bob" }, []],
    [{ team: "web" }, both],
    [{ target: "orders" }, [sessions.sql.id]],
    [{ labels: { env: ["prod", "test"] } }, [sessions.screen.id]],
    [{ kind: "shell" }, [sessions.screen.id]],
    [{ event: "session.end", protocol: "ssh" }, [sessions.screen.id]],
    [{ event: "sftp" }, []],
    [{ to: sessions.screen.startedAt, target: "web-01" }, []],
    [{ from: sessions.screen.startedAt, target: "web-01" }, [sessions.screen.id]],
  ] as const satisfies [Partial<Search>, string[]][] as [Partial<Search>, string[]][])
    assert.deepEqual(
      idsOf(await found(who.otto, { text: "needle-in-", ...filter })).sort(),
      expected,
      JSON.stringify(filter),
    );
});

test("who may not see finds nothing, knows of nothing, and cannot ask the audit log by it", async () => {
  for (const text of ["needle-in-less", "needle-in-sql", "batch-hello", "behind-four-eyes"]) {
    const page = await who.eve.search({ text });
    assert.deepEqual([page.items, page.next, page.progress], [[], null, { searched: 0, sessions: 0 }], text);
  }
  assert.deepEqual(await found(who.bob, { text: "needle-in-" }), []);
  assert.deepEqual(
    idsOf(await found(who.lea, { text: "needle-in-less" })),
    [sessions.screen.id],
    "their team's",
  );
  await assert.rejects(who.ann.search({ text: "x", event: "session.recording.access" }), { code: "denied" });
  // What was typed: the person themselves and the auditor, not who leads the team.
  for (const [text, session] of [
    ["hunter2-unseen", sessions.screen],
    ["hunter2-sql", sessions.sql],
  ] as const) {
    for (const client of [who.ann, who.otto])
      assert.deepEqual(idsOf(await found(client, { text })), [session.id], text);
    for (const sources of [undefined, ["input" as const]])
      assert.deepEqual(await found(who.lea, { text, ...(sources && { sources }) }), [], text);
  }
  // Under four eyes: not before somebody else has agreed, and not for the auditor either.
  for (const client of [who.bob, who.otto])
    assert.deepEqual(await found(client, { text: "behind-four-eyes" }), []);
});

test("a search comes in pages, within a recording too, and a cursor is for that search alone", async () => {
  const search: Search = { text: "日本語", limit: 7 };
  const whole = await found(who.otto, { ...search, limit: 500 });
  const inPages = await found(who.otto, search);
  assert.ok(inPages.length > 5, "one recording in several pages");
  const momentsOf = (items: SearchPage["items"]) =>
    items
      .flatMap(({ session, hits }) => hits.map(({ timeUs, text }) => `${session.id} ${timeUs} ${text}`))
      .sort();
  assert.deepEqual(momentsOf(inPages), momentsOf(whole));

  const { next } = await who.otto.search(search);
  const cursor = next ?? "";
  for (const [client, other] of [
    [who.ann, search],
    [who.otto, { ...search, text: "needle" }],
    [who.otto, { ...search, user: "bob" }],
  ] as const)
    await assert.rejects(client.search({ ...other, cursor }), { code: "invalid" });
});

test("in the pages: asked by keyboard, grouped by session, and the player opens on the moment", async () => {
  const { gateway } = stage;
  const { page, complaints } = await browser.open();
  const link = await gateway.admin.people.signInLink(people.otto);
  await page.goto(link.url);
  await page.waitForURL(/sessions/);
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Command" }).fill("needle-in-");
  await page.getByRole("option", { name: /Search recordings/ }).click();
  await page.getByText(/\d+ sessions searched/).waitFor();
  const groups = page.getByRole("list", { name: "Finds" }).locator("> li");
  assert.equal(await groups.count(), 2);
  const ofScreen = groups.filter({ hasText: "web-01" });
  await ofScreen.locator("mark", { hasText: "needle-in-" }).first().waitFor();
  await page.getByRole("textbox", { name: "Target" }).fill("web-01");
  await page.keyboard.press("Enter");
  await page.waitForURL(/text=needle-in-&target=web-01/);
  await page.getByText(/[1-9] finds/).waitFor();
  assert.equal(await groups.count(), 1);
  const line = ofScreen.locator("ol a").filter({ hasText: "needle-in-less" }).first();
  const address = (await line.getAttribute("href")) ?? "";
  await page.locator("h1").click();
  const chosen = () => page.evaluate(() => document.querySelector("[data-chosen]")?.textContent ?? "");
  while (!(await chosen()).includes("needle-in-less")) await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.waitForURL(`${gateway.web}${address}`);
  assert.match(address, new RegExp(`^/sessions/${sessions.screen.id}\\?t=[0-9.]+s&find=needle-in-$`));
  await page.getByText("needle-in-less").first().waitFor();

  await page.goto(`${gateway.web}/search?text=not+there+at+all`);
  await page.getByRole("heading", { name: "Found nowhere" }).waitFor();
  await page.goto(`${gateway.web}/search?text=(&mode=regex`);
  await page.getByText("the pattern is not valid").waitFor();
  assert.deepEqual(
    complaints.filter((one) => !one.includes("400")),
    [],
  );
  await page.context().close();
});

test("one event tells of a search, its terms and what was opened", async () => {
  const { admin } = stage.gateway;
  await who.otto.search({ text: "needle-in-less", user: "ann" });
  const events = await awaitEvents(stage.gateway, { event: "session.recording.search" });
  const { code, user, fields } =
    events.findLast((one) => one.fields["query"] === "needle-in-less" && one.user === "otto") ?? {};
  assert.deepEqual(
    [code, user, fields?.["mode"], fields?.["filters"]],
    ["GH2050I", "otto", "any-case", '{"user":"ann"}'],
  );
  assert.deepEqual(
    [fields?.["opened"], fields?.["found"]],
    [[sessions.screen.id], [sessions.screen.id]],
    "the filter left one",
  );
  const opened = await admin.audit.list({ event: "session.recording.access", session: sessions.sql.id });
  assert.deepEqual(
    opened.items.filter(({ fields: more }) => more["action"] === "search"),
    [],
  );
  assert.equal((await admin.audit.verify()).ok, true);
});

test("nothing of it lies in plain", async () => {
  const words = ["needle-in-", "hunter2", "日本語の行", "behind-four-eyes"].flatMap((word) => [
    word,
    word.toUpperCase(),
  ]);
  const walk = (folder: string): string[] =>
    readdirSync(folder).flatMap((name) => {
      const path = join(folder, name);
      return statSync(path).isDirectory() ? walk(path) : [path];
    });
  const { dataDir } = stage.gateway;
  for (const path of [...walk(join(dataDir, "recordings")), ...walk(join(dataDir, "recording"))])
    for (const word of words) assert.ok(!readFileSync(path).includes(word), `${path} has ${word}`);
  // The audit log has what was asked for, and commands; nothing else in the database has words.
  for (const name of ["gatehouse.db", "gatehouse.db-wal"])
    assert.ok(!readFileSync(join(dataDir, name)).includes("日本語の行 🎉👩"), name);
});

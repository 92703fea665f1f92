/**
 * The tools that people have for PostgreSQL, through the whole gateway: what they show is what they show without it, and the
 * recording has what they sent.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Target } from "@gatehouse/contracts/rest";
import { type Statement, statementLine } from "@gatehouse/recording";
import { type Databases, startDatabases } from "../parts/databases.ts";
import { run } from "../parts/openssh.ts";
import { type Way, postgresProgram, psql } from "../parts/postgres.ts";
import { awaitStored, eventually, recordedStatements } from "../parts/sessions.ts";
import { openTerminal } from "../parts/terminal.ts";

const gatehouse = fileURLToPath(new URL("../../packages/cli/bin/gatehouse", import.meta.url));

let stand: Databases;
let target: Target;
let jane: Awaited<ReturnType<Databases["person"]>>;
let direct: Way;

before(async () => {
  stand = await startDatabases();
  target = await stand.addTarget("postgres");
  jane = await stand.person("jane");
  direct = {
    PGHOST: "127.0.0.1",
    PGPORT: String(stand.postgres.port),
    PGUSER: "postgres",
    PGPASSWORD: stand.postgres.password,
    PGSSLMODE: "require",
    PGDATABASE: "postgres",
  };
});
after(() => stand?.close());

const file = (name: string) => join(stand.gateway.dataDir, name);
async function through(): Promise<Way> {
  const { host, port, user, password, certificate } = await jane.targets.openConnection(
    target.id,
    "postgres",
  );
  writeFileSync(file("gate.pem"), certificate);
  return {
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGPASSWORD: password,
    PGSSLMODE: "verify-full",
    PGSSLROOTCERT: file("gate.pem"),
    PGDATABASE: "postgres",
  };
}
const seen = new Set<string>();
async function lastSession(): Promise<Statement[]> {
  const session = await awaitStored(stand.gateway, ({ id }) => !seen.has(id));
  seen.add(session.id);
  return recordedStatements(stand.gateway, session);
}
const lines = (all: readonly Statement[]) =>
  all.map((statement) => statementLine(statement).replace(/, [\d.]+ ms$/, ""));
const sha256 = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");

test("psql's \\copy both ways, \\gdesc and \\d", async () => {
  const rows = Array.from({ length: 5000 }, (_, i) => `${i},item ${i}\n`).join("");
  writeFileSync(file("items.csv"), rows);
  const script = (out: string) =>
    [
      "create table items (id int primary key, name text);",
      `\\copy items from '${file("items.csv")}' csv`,
      "select id, name, now() from items \\gdesc",
      "\\d items",
      `\\copy (select * from items order by id) to '${file(out)}' csv`,
      "drop table items;",
      "",
    ].join("\n");
  const plain = await psql(direct, script("plain.csv"));
  const gated = await psql(await through(), script("gated.csv"));
  assert.equal(gated.stdout.toString(), plain.stdout.toString());
  assert.equal(gated.stderr, "");
  assert.match(gated.stdout.toString(), /COPY 5000[^]*timestamp with time zone[^]*items_pkey/);
  assert.equal(readFileSync(file("gated.csv"), "utf8"), rows);
  const all = await lastSession();
  const [filled, read] = all.filter(({ copiedIn, copiedOut }) => copiedIn ?? copiedOut);
  assert.deepEqual(filled?.copiedIn, { bytes: Buffer.byteLength(rows), sha256: sha256(Buffer.from(rows)) });
  assert.deepEqual(read?.copiedOut, { bytes: Buffer.byteLength(rows), sha256: sha256(Buffer.from(rows)) });
  const ran = lines(all);
  assert.ok(ran.includes("COPY  items FROM STDIN csv -> COPY 5000"), ran.join("\n"));
  // \gdesc has its text described, which is not run, and asks for the names of the types.
  const described = ran.indexOf("select id, name, now() from items -> prepared, not run");
  assert.match(ran[described + 1] ?? "", /pg_catalog.format_type.*-> SELECT 3$/, ran.join("\n"));
});

test("psql's \\watch is stopped by a cancel request, and the session goes on", async (context) => {
  const environment = Object.entries(await through()).map(([name, value]) => `${name}=${value}`);
  const terminal = openTerminal(
    ["/usr/bin/env", ...environment, "PAGER=", "/usr/lib/postgresql/15/bin/psql", "-X"],
    file("watch-size"),
  );
  context.after(() => terminal.kill());
  await terminal.shows(/postgres=# /);
  terminal.type("select 'tick', pg_sleep(case when random() < 2 then 600 end) \\watch 1\r");
  await terminal.shows(/watch 1/);
  await eventually("the statement to run", async () => {
    const running = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'";
    return (await stand.postgres.sql(running)) === "1" ? true : undefined;
  });
  terminal.type("\x03");
  await terminal.shows(/canceling statement due to user request/);
  await terminal.shows(/postgres=# /);
  terminal.type("select 6 * 7 as answer;\r");
  await terminal.shows(/42/);
  terminal.type("\\q\r");
  assert.equal(await terminal.exited, 0);
  const ran = lines(await lastSession());
  assert.deepEqual(
    ran.filter((line) => !line.startsWith("select 'tick'")),
    ["cancel", "select 6 * 7 as answer; -> SELECT 1"],
  );
  assert.match(ran.join("\n"), /^select 'tick'.* -> ERROR 57014 /m);
});

test("pgcli comes in by db login's URI, completes names, and shows the same as past the gate", async (context) => {
  await stand.postgres.sql(
    "create table remarkable (id int, note text); insert into remarkable values (1, 'grün')",
  );
  const home = { XDG_CONFIG_HOME: file("home") };
  const { url } = await stand.gateway.admin.people.signInLink(jane.id);
  const signedIn = await run(gatehouse, ["login", stand.gateway.web], { input: `${url}\n`, env: home });
  assert.equal(signedIn.code, 0, signedIn.stderr);
  const told = await run(
    gatehouse,
    ["db", "login", "postgres", "--login", "postgres", "--database", "postgres"],
    { env: home },
  );
  const { PGHOST, PGPORT, PGUSER, PGPASSWORD } = direct as Record<string, string>;
  const past = `postgresql://${PGUSER}:${encodeURIComponent(PGPASSWORD ?? "")}@${PGHOST}:${PGPORT}/postgres?sslmode=require`;
  /** It asks for all names on a connection of its own, which ends with that. */
  const shown = async (uri: string, out: string, named?: () => Promise<unknown>) => {
    const environment = Object.entries({ ...home, PROMPT_TOOLKIT_NO_CPR: "1", PAGER: "cat" });
    const terminal = openTerminal(
      [
        "/usr/bin/env",
        ...environment.map(([name, value]) => `${name}=${value}`),
        ..."/usr/bin/pgcli --less-chatty --warn off".split(" "),
        uri,
      ],
      file(`${out}-size`),
    );
    context.after(() => terminal.kill());
    await terminal.shows(/postgres>/);
    await named?.();
    terminal.type(`\\o ${file(out)}\r`);
    await terminal.shows(/postgres>/);
    terminal.type(named ? "select * from remark" : "select * from remarkable");
    if (named) {
      await terminal.shows(/ remarkable .*table/);
      terminal.type("\t");
      await terminal.shows(/able/);
    }
    terminal.type(" where note = 'grün';\r");
    await terminal.shows(/postgres>/);
    terminal.type("\\q\r");
    assert.equal(await terminal.exited, 0);
    return readFileSync(file(out), "utf8");
  };
  const before = stand.postgres.log().length;
  let names: Statement[] = [];
  const gated = await shown(
    told.stdout.toString().trim(),
    "gated.out",
    async () => (names = await lastSession()),
  );
  const all = [...names, ...(await lastSession())];
  const ran = stand.postgres.log().slice(before);
  assert.equal(await shown(past, "past.out"), gated);
  assert.match(gated, /grün/);
  assert.ok(
    names.some(({ text }) => text.includes("pg_catalog.pg_class")),
    lines(names).join("\n"),
  );
  assert.match(lines(all).at(-1) ?? "", /^select \* from remarkable where note = 'grün' -> SELECT 1$/);
  // As many as the server ran, each of them.
  assert.equal(all.length, ran.match(/ LOG: {2}(?:statement|execute [^:]+): /g)?.length);
  const words = (text: string) => text.replaceAll(/\s+/g, " ").trim();
  for (const { text } of all) assert.ok(words(ran).includes(words(text)), text);
});

test("pgbench in a pipeline: every statement of it is there, with its values", async () => {
  const script = file("pipeline.sql");
  writeFileSync(
    script,
    [
      "\\set n random(1, 1000)",
      "\\startpipeline",
      "select :n::int + 1;",
      "insert into piped values (:n);",
      "select count(*) from piped;",
      "\\endpipeline",
      "",
    ].join("\n"),
  );
  await stand.postgres.sql("create table piped (n int)");
  const args = ["-n", "-f", script, "-t", "15", "-c", "2", "-M", "prepared"];
  const ran = await postgresProgram("pgbench", await through(), ...args);
  assert.match(ran.stdout.toString(), /transactions actually processed: 30\/30/, ran.stderr);
  const kept = (await stand.postgres.sql("select n from piped")).split("\n").sort();
  const all = [...(await lastSession()), ...(await lastSession()), ...(await lastSession())];
  const inserted = all.filter(({ text }) => text.startsWith("insert into piped"));
  assert.deepEqual(inserted.map(({ values }) => (values[0] as { text: string }).text).sort(), kept);
  assert.ok(inserted.every(({ results }) => results[0]?.tag === "INSERT 0 1"));
});

test("a custom dump through the gate, restored through the gate, is the same database", async () => {
  await stand.postgres.sql(
    [
      "create schema kept",
      "create table kept.people (id int primary key, name text, photo bytea)",
      "insert into kept.people select i, 'person ' || i, decode(md5(i::text), 'hex') from generate_series(1, 3000) i",
      "create view kept.first as select * from kept.people where id < 10",
      "create index on kept.people (name)",
    ].join("; "),
  );
  const dumped = file("kept.dump");
  const dump = await postgresProgram("pg_dump", await through(), "-Fc", "-n", "kept", "-f", dumped);
  assert.equal(dump.code, 0, dump.stderr);
  await lastSession();
  const digest =
    "select md5(string_agg(p::text, ',' order by id)), (select count(*) from kept.first) from kept.people p";
  const original = await stand.postgres.sql(digest);
  await stand.postgres.sql("drop schema kept cascade");
  const restore = await postgresProgram("pg_restore", await through(), "-d", "postgres", dumped);
  assert.equal(restore.code, 0, restore.stderr);
  assert.equal(await stand.postgres.sql(digest), original);
  const all = await lastSession();
  const rows = all.find(({ text }) => text.startsWith("COPY kept.people"));
  assert.deepEqual(rows?.results, [{ tag: "COPY 3000", rows: 3000 }]);
  assert.ok(all.some(({ text }) => text.includes("CREATE VIEW kept.first")));
});

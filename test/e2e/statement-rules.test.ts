/** Rules about statements: what a rule denies does not reach the database, whichever way it is sent, and the session goes on. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, test } from "node:test";
import type { TLSSocket } from "node:tls";
import type { Client } from "@gatehouse/contracts/client";
import type { Session, TargetCreate, WaitingStatement } from "@gatehouse/contracts/rest";
import { isGatehouseError } from "@gatehouse/kernel";
import { statementLine, statements } from "@gatehouse/recording";
import type { RowDataPacket } from "mysql2";
import { command } from "../../packages/gateway/src/protocols/mysql/wire/messages.ts";
import { encodePacket } from "../../packages/gateway/src/protocols/mysql/wire/packets.ts";
import { type Databases, cancel, openMariadb, openPostgres, startDatabases } from "../parts/databases.ts";
import { psql } from "../parts/postgres.ts";
import { awaitEvents, awaitStored, eventually, recorded } from "../parts/sessions.ts";

let stand: Databases;
let jane: Client;
before(async () => {
  stand = await startDatabases();
  jane = await stand.person("jane");
});
after(() => stand?.close());

const access: NonNullable<TargetCreate["access"]> = {
  statements: {
    rules: [
      { name: "whole-tables", action: "deny", kinds: ["update", "delete"], withoutWhere: true },
      { name: "no-drop", action: "deny", kinds: ["drop", "truncate"] },
      { name: "pay", action: "deny", objects: ["payroll.people"] },
    ],
  },
};

const seen = new Set<string>();
async function lastSession() {
  const session = await awaitStored(stand.gateway, ({ id }) => !seen.has(id));
  seen.add(session.id);
  const lines: string[] = [];
  for await (const statement of statements((await recorded(stand.gateway, session)).frames))
    lines.push(statementLine(statement).replace(/, [\d.]+ ms$/, ""));
  return { session, lines };
}
const denied = { code: "42501", message: /the rule [a-z-]+ of this target denies it; it was not run/ };

test("PostgreSQL: simple, prepared and pipelined statements, and the transaction around them", async () => {
  const target = await stand.addTarget("postgres", { name: "ruled", access });
  const client = await openPostgres(jane, target);
  await client.query("create table kept (a int); insert into kept values (1), (2)");
  await assert.rejects(client.query("delete from kept"), denied);
  await assert.rejects(client.query("select 1; drop table kept"), denied);
  await assert.rejects(
    client.query("with d as (delete from kept where $1 returning *) select * from d", [true]),
    denied,
  );
  await assert.rejects(client.query({ name: "named", text: "truncate kept", values: [] }), denied);
  await assert.rejects(client.query("select * from payroll.people"), denied);
  await assert.rejects(client.query("delete from kept where a = '\\' || '; drop table kept; --'"), denied);
  // An error in a transaction undoes it, as every error does.
  await client.query("begin");
  await client.query("insert into kept values (3)");
  await assert.rejects(client.query("delete from kept where true"), denied);
  await assert.rejects(client.query("select 1"), { code: "25P02" });
  await client.query("commit");
  // In a pipeline what comes behind an error and before the next Sync is passed over.
  const results = await Promise.allSettled([
    client.query("insert into kept values ($1)", [4]),
    client.query("drop table kept"),
    client.query("delete from kept where a = $1", [1]),
  ]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled"],
  );
  const { rows } = await client.query<{ a: number }>("select a from kept order by a");
  assert.deepEqual(
    rows.map(({ a }) => a),
    [2, 4],
  );
  await client.end();
  const log = stand.postgres.log();
  assert.doesNotMatch(log, /truncate kept|drop table kept|payroll\.people|delete from kept;|where true/);
  assert.match(log, /denied by gatehouse: rule no-drop/);
  const { session, lines } = await lastSession();
  assert.equal(session.end?.reason, "closed");
  assert.match(
    lines[1] ?? "",
    /^delete from kept -> refused: ERROR 42501 this statement \(delete kept\) does not pass: the rule whole-tables/,
  );
  assert.equal(lines.filter((line) => line.includes("refused: ERROR 42501")).length, 8);
  const events = await awaitEvents(stand.gateway, { event: "db.statement.denied", session: session.id }, 8);
  assert.deepEqual(
    events.map(({ code, user, fields }) => [code, user, fields["rule"], fields["statement_kind"]]),
    [
      ["GH2110W", "jane", "whole-tables", "delete"],
      ["GH2110W", "jane", "no-drop", "drop"],
      ["GH2110W", "jane", "whole-tables", "delete"],
      ["GH2110W", "jane", "no-drop", "truncate"],
      ["GH2110W", "jane", "pay", "select"],
      ["GH2110W", "jane", "whole-tables", "unclassified"],
      ["GH2110W", "jane", "whole-tables", "delete"],
      ["GH2110W", "jane", "no-drop", "drop"],
    ],
  );
});

test("psql goes on behind a denied statement, and a denied copy asks for no data", async () => {
  const target = await stand.addTarget("postgres", {
    name: "copied",
    access: { statements: { rules: [{ name: "no-copy", action: "deny", kinds: ["copy", "unclassified"] }] } },
  });
  const { host, port, user, password } = await jane.targets.openConnection(target.id, "postgres");
  const way = {
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGPASSWORD: password,
    PGSSLMODE: "require",
    PGDATABASE: "postgres",
  };
  const ran = await psql(way, "copy kept from stdin;\n7\n\\.\nselec 1;\nselect 42;\n", "-t");
  assert.match(ran.stderr, /ERROR: {2}this statement \(copy kept\) does not pass: the rule no-copy/);
  assert.match(ran.stderr, /the gate cannot read this statement for certain/);
  assert.equal(ran.stdout.toString().trim(), "42");
  await lastSession();
});

test("MariaDB: texts of several statements, prepared ones, and the protocol's own commands", async () => {
  const target = await stand.addTarget("mariadb", { name: "ruled-too", access });
  await stand.mariadb.sql("create table shop.kept (a int); insert into shop.kept values (1), (2)");
  const client = await openMariadb(jane, target);
  const refused = {
    errno: 1227,
    sqlState: "42000",
    message: /the rule [a-z-]+ of this target denies it; it was not run/,
  };
  await assert.rejects(client.query("delete from shop.kept"), refused);
  await assert.rejects(client.query("select 1; drop table shop.kept"), refused);
  await assert.rejects(client.execute("update shop.kept set a = ? where 1 = 1", [3]), refused);
  await assert.rejects(client.query("select 1 /*! ; drop table shop.kept */"), refused);
  await assert.rejects(client.query("select * from payroll.people"), refused);
  await client.execute("delete from shop.kept where a = ?", [1]);
  const [rows] = await client.query<RowDataPacket[]>("select a from shop.kept");
  assert.deepEqual(
    rows.map((row) => row["a"] as number),
    [2],
  );
  await client.end();
  assert.doesNotMatch(
    stand.mariadb.log(),
    /drop table shop|payroll\.people|set a = |delete from shop\.kept\n/i,
  );
  const { session, lines } = await lastSession();
  assert.equal(session.end?.reason, "closed");
  assert.equal(lines.filter((line) => line.includes("refused: ERROR 1227 (42000)")).length, 5);
  const events = await awaitEvents(stand.gateway, { event: "db.statement.denied", session: session.id }, 5);
  assert.deepEqual(
    events.map(({ fields }) => fields["rule"]),
    ["whole-tables", "no-drop", "whole-tables", "whole-tables", "pay"],
  );
});

/** The statement of somebody that waits, once the database was asked about it. */
function waitingOf(user: string): Promise<{ session: Session; waiting: WaitingStatement }> {
  return eventually("a statement that waits", async () => {
    const { items } = await stand.gateway.admin.sessions.list({ state: "live", user });
    for (const session of items) {
      const [waiting] = session.live?.waiting ?? [];
      if (waiting && (waiting.plan ?? waiting.planMissing) !== null) return { session, waiting };
    }
    return undefined;
  });
}

const emptying: NonNullable<TargetCreate["access"]> = {
  statements: {
    rules: [
      { name: "no-drop", action: "deny", kinds: ["drop"] },
      { name: "emptying", action: "approve", kinds: ["delete", "truncate"] },
    ],
    approvalWaitSeconds: 60,
  },
};

test("PostgreSQL: what must be approved waits with its plan, is run when somebody else says so, and else is not", async () => {
  const target = await stand.addTarget("postgres", { name: "approved", access: emptying });
  const [pat, ann] = await Promise.all([
    stand.person("pat", ["user", "security-analyst"]),
    stand.person("ann", ["security-analyst"]),
  ]);
  const client = await openPostgres(pat, target);
  const notices: string[] = [];
  client.on("notice", ({ message }) => notices.push(message ?? ""));
  await client.query("create table doomed as select generate_series(1, 10) as a");
  const left = () => stand.postgres.sql("select count(*) from doomed");

  // Prepared, with a value, and more behind it in the pipeline: that waits too, and runs in its order.
  const order: string[] = [];
  const first = client.query("delete from doomed where a <= $1", [3]).then(() => order.push("delete"));
  const second = client.query("select 1").then(() => order.push("select"));
  const { session, waiting } = await waitingOf("pat");
  assert.equal(waiting.rule, "emptying");
  assert.equal(waiting.text, "delete from doomed where a <= $1\n$1 = '3'");
  assert.match(waiting.plan ?? "", /^Delete on doomed[^]*Filter: \(a <= 3\)/);
  assert.equal(await left(), "10");
  // Whose statement it is decides nothing, whatever their roles.
  const own = await pat.sessions.get(session.id);
  assert.deepEqual([own.live?.waiting, own.live?.may.includes("session.review")], [[], false]);
  await assert.rejects(pat.sessions.review(session.id, waiting.statement, { decision: "approve" }), {
    code: "denied",
  });
  await assert.rejects(ann.sessions.review(session.id, 9999, { decision: "approve" }), { code: "conflict" });
  await ann.sessions.review(session.id, waiting.statement, { decision: "approve", comment: "agreed" });
  await Promise.all([first, second]);
  assert.deepEqual(order, ["delete", "select"]);
  assert.equal(await left(), "7");
  assert.match(notices.join("\n"), /waits for it, for 1 min at most[^]*ann has approved it \(agreed\)/);

  // Each execution of what was prepared once is asked about; and one that is denied fails as any statement does.
  await client.query("begin");
  const again = client.query({ name: "twice", text: "delete from doomed where a = $1", values: [4] });
  const denial = assert.rejects(again, {
    code: "42501",
    message: "ann has denied this statement (not now); it was not run",
  });
  const next = await waitingOf("pat");
  await ann.sessions.review(session.id, next.waiting.statement, { decision: "deny", comment: "not now" });
  await denial;
  await assert.rejects(client.query("select 1"), { code: "25P02" });
  await client.query("rollback");

  // Simple statements too; cancelled by the client, and when nobody says anything.
  const truncating = client.query("truncate doomed");
  const cancelled = assert.rejects(truncating, { code: "57014" });
  const truncation = await waitingOf("pat");
  assert.equal(truncation.waiting.planMissing, "it is no statement whose plan a database tells");
  cancel(client);
  await cancelled;
  await assert.rejects(client.query("drop table doomed"), denied);
  assert.equal(await left(), "7");
  await client.end();

  const ended = await lastSession();
  assert.equal(ended.session.id, session.id);
  assert.doesNotMatch(stand.postgres.log(), /statement: truncate doomed|drop table doomed|twice: delete/);
  const approved = /^delete from doomed where a <= \$1 \[\$1='3'\] -> DELETE 3/;
  assert.ok(
    ended.lines.some((line) => approved.test(line)),
    ended.lines.join("\n"),
  );
  assert.equal(ended.lines.filter((line) => line.includes("refused: ERROR")).length, 3);
  const about = { session: session.id };
  const holds = await awaitEvents(stand.gateway, { event: "db.statement.hold", ...about }, 3);
  assert.deepEqual(
    holds.map(({ fields }) => fields["statement_kind"]),
    ["delete", "delete", "truncate"],
  );
  const reviews = await awaitEvents(stand.gateway, { event: "db.statement.review", ...about }, 3);
  assert.deepEqual(
    reviews.map(({ user, success, fields }) => [user, success, fields["decision"], fields["comment"]]),
    [
      ["pat", false, undefined, undefined],
      ["ann", true, "approve", "agreed"],
      ["ann", true, "deny", "not now"],
    ],
  );
});

test("what nobody decides about is refused in time", async () => {
  const { rules } = emptying.statements ?? {};
  const access = { statements: { ...(rules && { rules }), approvalWaitSeconds: 1 } };
  const target = await stand.addTarget("postgres", { name: "impatient", access });
  const client = await openPostgres(jane, target);
  await assert.rejects(client.query("delete from doomed"), {
    code: "42501",
    message: /nobody has approved this statement in time/,
  });
  assert.equal(await stand.postgres.sql("select count(*) from doomed"), "7");
  await client.end();
  await lastSession();
});

test("MariaDB: the same, for texts and for each execution of what was prepared", async () => {
  const target = await stand.addTarget("mariadb", { name: "approved-too", access: emptying });
  const [kim, eve] = await Promise.all([stand.person("kim"), stand.person("eve", ["security-analyst"])]);
  await stand.mariadb.sql("create table shop.doomed (a int); insert into shop.doomed values (1), (2), (3)");
  const client = await openMariadb(kim, target);
  const text = client.query("delete from shop.doomed where a = 1");
  const one = await waitingOf("kim");
  assert.deepEqual(
    [one.waiting.text, one.waiting.planMissing],
    ["delete from shop.doomed where a = 1", "only PostgreSQL is asked for a plan"],
  );
  await eve.sessions.review(one.session.id, one.waiting.statement, { decision: "approve" });
  await text;
  const prepared = assert.rejects(client.execute("delete from shop.doomed where a = ?", [2]), {
    errno: 1227,
    message: "eve has denied this statement; it was not run",
  });
  const two = await waitingOf("kim");
  assert.equal(two.waiting.text, "delete from shop.doomed where a = ?\n?1 = '2'");
  await eve.sessions.review(two.session.id, two.waiting.statement, { decision: "deny" });
  await prepared;
  const [rows] = await client.query<RowDataPacket[]>("select a from shop.doomed order by a");
  assert.deepEqual(
    rows.map((row) => row["a"] as number),
    [2, 3],
  );
  // Whoever hangs up while it waits has not run it.
  client.query("delete from shop.doomed").catch(() => undefined);
  await waitingOf("kim");
  client.destroy();
  const { session, lines } = await lastSession();
  assert.equal(session.end?.reason, "connection_lost");
  assert.ok(lines.includes("delete from shop.doomed where a = 1 -> OK, 1 row affected"), lines.join("\n"));
  assert.ok(lines.some((line) => line.includes("refused: ERROR 1227 (42000) eve has denied this statement")));
  assert.equal(await stand.mariadb.sql("select count(*) from shop.doomed"), "2");
});

test("MariaDB: a number that is guessed before the server gives it runs nothing", async () => {
  const target = await stand.addTarget("mariadb", { name: "guessed", access: emptying });
  const client = await openMariadb(await stand.person("mallory"), target);
  await stand.mariadb.sql("create table shop.guessed as select 1 as a");
  const { stream } = (client as unknown as { connection: { stream: TLSSocket } }).connection;
  stream.removeAllListeners("data");
  const answers: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => answers.push(chunk));
  const execution = Buffer.alloc(10);
  execution.writeUInt8(command.execute);
  execution.writeUInt32LE(1, 1);
  execution.writeUInt32LE(1, 6);
  const preparation = Buffer.concat([Buffer.of(command.prepare), Buffer.from("delete from shop.guessed")]);
  stream.write(Buffer.concat([encodePacket(0, preparation), encodePacket(0, execution)]));
  await once(stream, "close");
  assert.match(
    Buffer.concat(answers).toString(),
    /the statement 1 was named before the server gave it that number/,
  );
  assert.equal(await stand.mariadb.sql("select count(*) from shop.guessed"), "1");
  const { session, lines } = await lastSession();
  assert.equal(session.end?.reason, "failed");
  assert.deepEqual(lines.at(-1), "delete from shop.guessed -> prepared, not run");
});

test("rules are for databases only, and must be rules", async () => {
  const { admin } = stand.gateway;
  const target = { name: "shell", protocol: "ssh", host: "127.0.0.1", port: 22 };
  const invalid = (error: unknown) => isGatehouseError(error, "invalid");
  await assert.rejects(admin.targets.create({ ...target, access }), invalid);
  const strange = { statements: { rules: [{ name: "x", action: "deny" as const, objects: ["a.b.c"] }] } };
  await assert.rejects(stand.addTarget("postgres", { access: strange }), invalid);
});

/** Rules about statements: what a rule denies does not reach the database, whichever way it is sent, and the session goes on. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Client } from "@gatehouse/contracts/client";
import type { TargetCreate } from "@gatehouse/contracts/rest";
import { isGatehouseError } from "@gatehouse/kernel";
import { statementLine, statements } from "@gatehouse/recording";
import type { RowDataPacket } from "mysql2";
import { type Databases, openMariadb, openPostgres, startDatabases } from "../parts/databases.ts";
import { psql } from "../parts/postgres.ts";
import { awaitEvents, awaitStored, recorded } from "../parts/sessions.ts";

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

test("rules are for databases only, and must be rules", async () => {
  const { admin } = stand.gateway;
  const target = { name: "shell", protocol: "ssh", host: "127.0.0.1", port: 22 };
  const invalid = (error: unknown) => isGatehouseError(error, "invalid");
  await assert.rejects(admin.targets.create({ ...target, access }), invalid);
  const strange = { statements: { rules: [{ name: "x", action: "deny" as const, objects: ["a.b.c"] }] } };
  await assert.rejects(stand.addTarget("postgres", { access: strange }), invalid);
});

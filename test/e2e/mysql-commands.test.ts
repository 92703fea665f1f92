/**
 * Everything that the protocol of MySQL and MariaDB has words for, said by MariaDB's client library for C through the gate
 * and past it, to both servers: what it gets is the same, and what it asked is recorded with what came of it. And what no
 * library says, in messages as they are: nothing that was refused is run in another way.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Client } from "@gatehouse/contracts/client";
import type { Connection, Target, TargetCreate } from "@gatehouse/contracts/rest";
import { type Statement, statementLine } from "@gatehouse/recording";
import { type Gateway, startGateway } from "../parts/gateway.ts";
import { type MysqlServer, startMariadb } from "../parts/mariadb.ts";
import { openMysqlMessages } from "../parts/mysql-messages.ts";
import { noMysql, startMysql } from "../parts/mysql.ts";
import { run } from "../parts/openssh.ts";
import { awaitSession, awaitStored, eventually, recordedStatements } from "../parts/sessions.ts";
import { signedIn } from "../parts/signed-in.ts";

let gateway: Gateway;
let mariadb: MysqlServer;
let mysql: MysqlServer | undefined;
let jane: Client;
let ann: Client;
before(async () => {
  [mariadb, mysql] = await Promise.all([startMariadb(), noMysql === false ? startMysql() : undefined]);
  gateway = await startGateway({
    config: {
      mysql: { listen: "127.0.0.1:0", mariadb: { listen: "127.0.0.1:0" } },
      moderation: { request_wait: "1s" },
    },
  });
  jane = await someone("jane", "user");
  ann = await someone("ann", "security-analyst");
});
after(async () => {
  await gateway.close();
  await mariadb.close();
  await mysql?.close();
});

async function someone(name: string, role: string): Promise<Client> {
  const { id } = await gateway.admin.people.create({ name, roles: [role] });
  return signedIn(gateway, id);
}
async function targetOn(
  { protocol, port, logins, certificate }: MysqlServer,
  change: Pick<TargetCreate, "name" | "access">,
): Promise<Target> {
  const { admin } = gateway;
  const { id } = await admin.targets.create({
    protocol,
    host: "127.0.0.1",
    port,
    logins: ["root"],
    allowRoles: ["user"],
    ...change,
  });
  await admin.targets.setCredential(id, "root", { kind: "password", password: logins["root"] ?? "" });
  return admin.targets.trustHostKeys(id, { kind: "pinned", keys: [certificate] });
}
async function endedOn(target: Target): Promise<{ all: Statement[]; lines: string[]; reason?: string }> {
  const session = await awaitStored(gateway, (one) => one.target.id === target.id);
  const all = await recordedStatements(gateway, session);
  const lines = all.map((statement) => statementLine(statement).replace(/, [\d.]+ ms$/, ""));
  return { all, lines, ...(session.end && { reason: session.end.reason }) };
}

const program = fileURLToPath(new URL("../parts/connector_c.py", import.meta.url));
/** What the program printed there, but for the line about compression, and that. */
async function printed(server: MysqlServer, way: Omit<Connection, "expiresAt" | "protocol">) {
  const { host, port, user, password, certificate } = way;
  const file = join(gateway.dataDir, `${port}.pem`);
  writeFileSync(file, certificate);
  const ran = await run("/usr/bin/python3", [program, host, String(port), user, file, server.protocol], {
    input: `${password}\n`,
    timeoutMs: 120_000,
  });
  assert.equal(ran.code, 0, ran.stderr + ran.stdout.toString());
  const lines = ran.stdout.toString().split("\n");
  const isCompression = (line: string) => line.includes("| Compression |");
  return { lines: lines.filter((line) => !isCompression(line)), compression: lines.find(isCompression) };
}

for (const protocol of ["mariadb", "mysql"] as const)
  test(
    `${protocol}: a program of the C library gets through the gate what it gets past it`,
    { skip: protocol === "mysql" && noMysql },
    async () => {
      const server = protocol === "mysql" ? mysql : mariadb;
      assert.ok(server);
      if (protocol === "mysql")
        await server.sql(
          `set global enforce_gtid_consistency = on; ${["off_permissive", "on_permissive", "on"].map((mode) => `set global gtid_mode = ${mode};`).join(" ")}`,
        );
      const target = await targetOn(server, { name: protocol, access: { statements: { keepRows: 3 } } });
      const { certificate, port } = server;
      const password = server.logins["root"] ?? "";
      const direct = await printed(server, { host: "127.0.0.1", port, user: "root", password, certificate });
      const gated = await printed(server, await jane.targets.openConnection(target.id, "root"));
      assert.deepEqual(gated.lines, direct.lines);
      // Both were asked for it; what is compressed could not be recorded as it passes.
      assert.match(direct.compression ?? "", /ON$/);
      assert.match(gated.compression ?? "", /OFF$/);
      const printedAll = gated.lines.join("\n");
      for (const part of [/tracked 0 \+01:00/, /tracked 1 shop/, /tracked 4 START/, /tracked 5 T___W/])
        assert.match(printedAll, part);
      if (protocol === "mysql") assert.match(printedAll, /tracked 3 a transaction/);

      const session = await awaitStored(
        gateway,
        (one) => one.target.id === target.id && one.end?.reason === "closed",
      );
      const all = await recordedStatements(gateway, session);
      const lines = all.map((statement) => statementLine(statement).replace(/, [\d.]+ ms$/, ""));
      for (const line of [
        "insert into things (name) values ('one'), ('two'); select * from things; do 0; select 'grün' as g, null as n -> OK, 2 rows affected (Records: 2  Duplicates: 0  Warnings: 0), 2 rows in set, OK, 0 rows affected, 1 row in set",
        "set sql_mode = ''; insert into things (name) values ('much too long'); show warnings -> OK, 0 rows affected, OK, 1 row affected, 1 warning, 1 row in set",
        "call two() -> 1 row in set, 1 row in set, OK, 0 rows affected",
        `insert into kinds values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) [$1='-5', $2='250', $3='-300', $4='4000000000', $5='-4611686018427387904', $6='18446744073709551615', $7='1.5', $8='-2.25', $9='1234567890.1234', $10='2026-02-03', $11='-30:01:02.345678', $12='2026-02-03 04:05:06.789012', $13='{"a": [1, "ü"]}', $14='2748', $15=0x00ff80, $16='Zoë 😀', $17='2026'] -> OK, 1 row affected`,
        "select id, concat('row ', id) as t from things where id > ? order by id [$1='0'] -> 0 rows in set, suspended",
        ...(protocol === "mariadb"
          ? [
              "select 'at once' as t -> 1 row in set",
              "insert into things (id) values (?) [$1='101', $2='102', $3='103'] -> OK, 3 rows affected (Records: 3  Duplicates: 0  Warnings: 0)",
            ]
          : []),
        "STATISTICS -> OK",
        "INIT_DB [$1='nowhere'] -> ERROR 1049 (42000) Unknown database 'nowhere'",
        "FIELD_LIST [$1='things'] -> done",
        "SET_OPTION [$1='1'] -> OK",
        "RESET_CONNECTION -> OK",
        "CHANGE_USER -> OK",
      ])
        assert.ok(lines.includes(line), `${line}\nis not among\n${lines.join("\n")}`);
      assert.ok(
        lines.some((line) =>
          /^select 1 as a; select \* from nowhere;.* -> 1 row in set, ERROR 1146 \(42S02\)/.test(line),
        ),
      );
      const pieces = all.find(({ text }) => text.startsWith("select length(?)"));
      assert.equal(pieces?.values[1]?.text, "x".repeat(70_000) + "y".repeat(70_000));
      assert.equal(pieces?.values[0]?.text, "abcdef");

      // A cursor's rows as they were fetched; three are kept of each execution, however many fetches they took.
      const fetches = all.filter(
        ({ text, values }) => text.startsWith("select id, concat('row '") && values.length === 0,
      );
      const shown = fetches.map(({ results: [one] }) => ({
        rows: one?.rows,
        kept: one?.kept?.map((row) => row.map(({ text }) => text).join(" ")) ?? [],
      }));
      assert.deepEqual(shown.slice(0, 3), [
        { rows: 2, kept: ["1 row 1", "2 row 2"] },
        { rows: 2, kept: ["3 row 3"] },
        { rows: 2, kept: [] },
      ]);
      assert.equal(shown.flatMap(({ kept }) => kept).length, 6);
      // A row in binary: its header, a zero, no NULLs, an int and a text.
      const row = (number: number, id: number) =>
        Buffer.from([12, 0, 0, number, 0, 0, id, 0, 0, 0, 5, ...Buffer.from(`row ${id}`)]);
      const passed = Buffer.concat([row(1, 1), row(2, 2)]);
      assert.deepEqual(
        [fetches[0]?.results[0]?.bytes, fetches[0]?.results[0]?.sha256],
        [passed.length, createHash("sha256").update(passed).digest("hex")],
      );
    },
  );

const message = {
  query: (text: string) => `\u0003${text}`,
  prepare: (text: string) => `\u0016${text}`,
  /** With one text for its parameter, or none where that was sent ahead. */
  execute: (id: number, text?: string) =>
    Buffer.concat([
      numbered(0x17, id),
      // No cursor, one round; no NULLs, and the types that follow: a blob.
      Buffer.from([0, 1, 0, 0, 0, 0, 1, 0xfc, 0]),
      ...(text === undefined ? [] : [Buffer.from([text.length]), Buffer.from(text)]),
    ]),
  executeBulk: (id: number, text: string) =>
    Buffer.concat([numbered(0xfa, id), Buffer.from([128, 0, 0xfc, 0, 0, text.length]), Buffer.from(text)]),
  ahead: (id: number, text: string) =>
    Buffer.concat([numbered(0x18, id), Buffer.from([0, 0]), Buffer.from(text)]),
  fetch: (id: number, rows: number) => Buffer.concat([numbered(0x1c, id), Buffer.from([rows, 0, 0, 0])]),
  reset: (id: number) => numbered(0x1a, id),
  close: (id: number) => numbered(0x19, id),
  kill: (id: number) => numbered(0x0c, id),
  ping: "\u000e",
};
function numbered(command: number, id: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes[0] = command;
  bytes.writeUInt32LE(id, 1);
  return bytes;
}
/** MariaDB's "what I prepared last". */
const last = 0xffff_ffff;
const codeOf = (answer: Buffer | undefined) => (answer?.[0] === 0xff ? answer.readUInt16LE(1) : answer?.[0]);
const noDrop = {
  statements: { rules: [{ name: "no-drop", action: "deny" as const, kinds: ["drop" as const] }] },
};

test("MariaDB: whatever goes on with a denied prepare is refused with it, and takes no other in its place", async () => {
  const target = await targetOn(mariadb, { name: "ruled", access: noDrop });
  const client = await openMysqlMessages(await jane.targets.openConnection(target.id, "root"));
  client.send(
    message.prepare("select ? as good"),
    message.prepare("drop table kept"),
    message.ahead(last, "ahead"),
    message.execute(last, "instead"),
    message.executeBulk(last, "instead"),
    message.fetch(last, 1),
    message.reset(last),
    message.close(last),
    message.ping,
  );
  const [prepared, ...rest] = await client.next(11);
  // The statement with its parameter and its column, and what ends each.
  assert.deepEqual(rest.slice(4).map(codeOf), [1227, 1243, 1243, 1243, 1243, 0]);
  client.send(message.execute(prepared?.readUInt32LE(1) ?? 0, "its own"));
  assert.match(String((await client.next(5))[3]), /its own$/);
  client.send(message.prepare("select ? as second"), message.execute(last, "second"));
  assert.match(String((await client.next(10))[8]), /second$/);
  // COM_MULTI, which servers have no longer, holds commands of its own.
  const inside = Buffer.from(message.query("drop table kept"));
  client.send(Buffer.concat([Buffer.from([0xfe, inside.length, 0, 0]), inside]), message.ping);
  assert.deepEqual((await client.next(2)).map(codeOf), [1148, 0]);
  client.close();
  const { lines, reason } = await endedOn(target);
  assert.equal(reason, "closed");
  assert.deepEqual(
    lines.slice(1).map((line) => line.replace(/( \d+ \(\w+\)).*/, "$1")),
    [
      "drop table kept -> refused: ERROR 1227 (42000)",
      "0x17 -> refused: ERROR 1243 (HY000)",
      "0xfa -> refused: ERROR 1243 (HY000)",
      "0x1c -> refused: ERROR 1243 (HY000)",
      "STMT_RESET -> refused: ERROR 1243 (HY000)",
      "select ? as good [$1='its own'] -> 1 row in set",
      "select ? as second [$1='second'] -> 1 row in set",
      "0xfe -> refused: ERROR 1148 (42000)",
    ],
  );
  const log = mariadb.log();
  assert.doesNotMatch(log, /drop table kept|instead/);
  assert.match(log, /Execute\tselect 'its own' as good/);
});

test("what was prepared while input was paused, and refused, is not another's to execute", async () => {
  const target = await targetOn(mariadb, { name: "paused" });
  const client = await openMysqlMessages(await jane.targets.openConnection(target.id, "root"));
  client.send(message.prepare("select ? as earlier"));
  await client.next(5);
  const { id } = await awaitSession(gateway, (one) => one.state === "live" && one.target.id === target.id);
  await gateway.admin.sessions.pause(id, { reason: "look" });
  client.send(message.prepare("select ? as meanwhile"));
  assert.deepEqual((await client.next(1)).map(codeOf), [1317]);
  await gateway.admin.sessions.resume(id, {});
  client.send(message.execute(last, "meanwhile"), message.ping);
  assert.deepEqual((await client.next(2)).map(codeOf), [1243, 0]);
  client.close();
  await endedOn(target);
  assert.doesNotMatch(mariadb.log(), /Execute\tselect 'meanwhile'/);
});

test("an execution that nobody approved leaves nothing of what was sent ahead of it to the next", async () => {
  await mariadb.sql("create table shop.notes (note text)");
  const access: TargetCreate["access"] = {
    statements: {
      rules: [{ name: "notes", action: "approve", kinds: ["insert"] }],
      approvalWaitSeconds: 60,
    },
  };
  const target = await targetOn(mariadb, { name: "approved", access });
  const client = await openMysqlMessages(await jane.targets.openConnection(target.id, "root"));
  client.send(message.prepare("insert into notes values (?)"));
  const id = (await client.next(3))[0]?.readUInt32LE(1) ?? 0;
  for (const { text, decision, code } of [
    { text: "denied", decision: "deny", code: 1227 },
    { text: "approved", decision: "approve", code: 0 },
  ] as const) {
    client.send(message.ahead(id, text), message.execute(id));
    const { session, statement } = await eventually("a statement that waits", async () => {
      const { items } = await gateway.admin.sessions.list({ state: "live" });
      for (const one of items)
        for (const waiting of one.live?.waiting ?? [])
          return { session: one.id, statement: waiting.statement };
      return undefined;
    });
    await ann.sessions.review(session, statement, { decision });
    assert.deepEqual((await client.next(1)).map(codeOf), [code], decision);
  }
  client.close();
  assert.equal(await mariadb.sql("select note from shop.notes"), "approved");
  const { lines } = await endedOn(target);
  assert.match(lines.at(-2) ?? "", /\[\$1='denied'\] -> refused: ERROR 1227/);
  assert.match(lines.at(-1) ?? "", /\[\$1='approved'\] -> OK, 1 row affected/);
});

test("a denial that the audit log does not take is no answer: the session ends, and says why", async () => {
  const target = await targetOn(mariadb, { name: "unaudited", access: noDrop });
  const client = await openMysqlMessages(await jane.targets.openConnection(target.id, "root"));
  client.send(message.query("do 1"));
  await client.next(1);
  const other = new DatabaseSync(join(gateway.dataDir, "gatehouse.db"), { timeout: 10_000 });
  try {
    other.exec("begin immediate");
    client.send(message.query("drop table unaudited"));
    const [answer] = await client.next(1);
    assert.equal(codeOf(answer), 1053);
    assert.match(String(answer), /the audit log/);
    await assert.rejects(client.next(1), /it ended/);
  } finally {
    other.exec("rollback");
    other.close();
  }
  const { lines, reason } = await endedOn(target);
  assert.notEqual(reason, "closed");
  assert.match(lines.at(-1) ?? "", /^drop table unaudited ->/);
  assert.doesNotMatch(mariadb.log(), /drop table unaudited/);
});

test("COM_PROCESS_KILL is about the connection that its client means", async () => {
  const target = await targetOn(mariadb, { name: "killing" });
  const way = await jane.targets.openConnection(target.id, "root");
  const [killer, victim] = await Promise.all([openMysqlMessages(way), openMysqlMessages(way)]);
  killer.send(message.kill(victim.connectionId));
  assert.deepEqual((await killer.next(1)).map(codeOf), [0]);
  await assert.rejects(victim.next(2), /it ended/);
  killer.close();
  await endedOn(target);
});

for (const protocol of ["mariadb", "mysql"] as const)
  test(
    `${protocol}: a cursor is followed where an OK ends what an EOF did`,
    { skip: protocol === "mysql" && noMysql },
    async () => {
      const server = protocol === "mysql" ? mysql : mariadb;
      assert.ok(server);
      const target = await targetOn(server, {
        name: `${protocol}-cursor`,
        access: { statements: { keepRows: 3 } },
      });
      const deprecateEof = 1 << 24;
      const way = await jane.targets.openConnection(target.id, "root");
      const client = await openMysqlMessages(way, { flags: deprecateEof });
      client.send(message.prepare("select 'a' as t union all select 'b' union all select ?"));
      const id = (await client.next(3))[0]?.readUInt32LE(1) ?? 0;
      const opening = message.execute(id, "c");
      // CURSOR_TYPE_READ_ONLY.
      opening[5] = 1;
      client.send(opening, message.fetch(id, 2), message.fetch(id, 2), message.ping);
      const answers = await client.next(3 + 3 + 2 + 1);
      assert.deepEqual(
        answers.map((answer) => answer[0]),
        [1, 3, 0xfe, 0, 0, 0xfe, 0, 0xfe, 0],
      );
      client.close();
      const { all, lines } = await endedOn(target);
      assert.deepEqual(
        lines.slice(-3).map((line) => line.split(" -> ")[1]),
        ["0 rows in set, suspended", "2 rows in set, suspended", "1 row in set"],
      );
      assert.deepEqual(
        all.slice(-2).map(({ results: [one] }) => one?.kept?.map(([value]) => value?.text)),
        [["a", "b"], ["c"]],
      );
    },
  );

test("MySQL: a result whose columns are not told is followed all the same", { skip: noMysql }, async () => {
  assert.ok(mysql);
  const target = await targetOn(mysql, { name: "untold", access: { statements: { keepRows: 3 } } });
  const optionalMetadata = 1 << 25;
  const client = await openMysqlMessages(await jane.targets.openConnection(target.id, "root"), {
    flags: optionalMetadata,
  });
  client.send(
    message.query("set resultset_metadata = none"),
    message.query("select 41 + 1 as told, 'x' as t"),
  );
  const [ok, count, , row, end] = await client.next(5);
  assert.deepEqual(
    [codeOf(ok), [...(count ?? [])], String(row), end?.[0]],
    [0, [2, 0], "\u000242\u0001x", 0xfe],
  );
  client.send(message.prepare("select ? as prepared"), message.ping);
  const prepared = (await client.next(4))[0];
  client.send(message.execute(prepared?.readUInt32LE(1) ?? 0, "told not"), message.ping);
  assert.match(String((await client.next(5))[2]), /told not$/);
  client.send(message.query("set resultset_metadata = full"), message.query("select 43 as told"));
  assert.equal((await client.next(6))[0]?.[0], 0);
  client.close();
  const { all } = await endedOn(target);
  const results = all.filter(({ text }) => text.startsWith("select")).map(({ results: [one] }) => one);
  assert.deepEqual(
    results.map((one) => [one?.rows, one?.bytes, one?.kept?.map((values) => values.map(({ text }) => text))]),
    [
      [1, 9, undefined],
      [1, 15, undefined],
      [1, 7, [["43"]]],
    ],
  );
});

/** MySQL's own server behind the gate: the plugins that MariaDB has not, and results that are those of a direct connection. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { type TestContext, after, before, test } from "node:test";
import type { Client } from "@gatehouse/contracts/client";
import type { Target } from "@gatehouse/contracts/rest";
import mysql2 from "mysql2/promise";
import { type Gateway, startGateway } from "../parts/gateway.ts";
import type { MysqlServer } from "../parts/mariadb.ts";
import { noMysql, startMysql } from "../parts/mysql.ts";
import { awaitSession, awaitStored, eventually, recordedStatements } from "../parts/sessions.ts";
import { signedIn } from "../parts/signed-in.ts";

const options = { skip: noMysql };
let server: MysqlServer;
let gateway: Gateway;
let target: Target;
let person: Client;

before(async () => {
  if (noMysql !== false) return;
  server = await startMysql();
  gateway = await startGateway({ config: { mysql: { listen: "127.0.0.1:0" } } });
  const { admin } = gateway;
  const created = await admin.targets.create({
    name: "shop",
    protocol: "mysql",
    host: "127.0.0.1",
    port: server.port,
    logins: Object.keys(server.logins),
    allowRoles: ["user"],
    permits: { localFiles: true },
  });
  for (const [login, password] of Object.entries(server.logins))
    await admin.targets.setCredential(created.id, login, { kind: "password", password });
  target = await admin.targets.trustHostKeys(created.id, { kind: "pinned", keys: [server.certificate] });
  const { id } = await admin.people.create({ name: "jane", roles: ["user"] });
  person = await signedIn(gateway, id);
});
after(async () => {
  if (noMysql !== false) return;
  await gateway.close();
  await server.close();
});

const driver = { database: "shop", multipleStatements: true, supportBigNumbers: true } as const;
async function through(context: TestContext, login = "root"): Promise<mysql2.Connection> {
  const { host, port, user, password, certificate } = await person.targets.openConnection(target.id, login);
  const connection = await mysql2.createConnection({
    ...driver,
    host,
    port,
    user,
    password,
    ssl: { ca: certificate },
  });
  context.after(() => connection.destroy());
  return connection;
}
async function directly(context: TestContext): Promise<mysql2.Connection> {
  const connection = await mysql2.createConnection({
    ...driver,
    host: "127.0.0.1",
    port: server.port,
    user: "root",
    password: server.logins["root"] ?? "",
    ssl: { ca: server.certificate },
  });
  context.after(() => connection.destroy());
  return connection;
}
const rowsOf = async (connection: mysql2.Connection, sql: string, values?: unknown[]) =>
  (await (values ? connection.execute(sql, values as string[]) : connection.query(sql)))[0];
const seen = new Set<string>();
/** What was asked in the session that ends with this connection. */
async function askedOn(connection: mysql2.Connection): Promise<string[]> {
  const live = await awaitSession(gateway, ({ id, state }) => state === "live" && !seen.has(id));
  seen.add(live.id);
  await connection.end();
  const session = await awaitStored(gateway, ({ id }) => id === live.id);
  return (await recordedStatements(gateway, session)).map(({ text }) => text);
}

test(
  "the gate signs in by each of MySQL's plugins, with the password new to the server and known to it",
  options,
  async (context) => {
    await server.sql("flush privileges");
    for (const login of Object.keys(server.logins))
      for (const time of ["first", "second"]) {
        const connection = await through(context, login);
        const rows = (await rowsOf(connection, "select current_user() as who, version() as version")) as {
          who: string;
          version: string;
        }[];
        assert.match(rows[0]?.who ?? "", new RegExp(`^${login}@`), `${login}, ${time} time`);
        assert.match(rows[0]?.version ?? "", /^8\.0\./);
        await connection.end();
      }
    assert.doesNotMatch(gateway.output(), /caching secret|sha256 secret|native secret/);
  },
);

test(
  "a credential that the server refuses is told as the gate's, and names no password",
  options,
  async () => {
    const { admin } = gateway;
    const login = "caching_sha2_password";
    await admin.targets.setCredential(target.id, login, { kind: "password", password: "mistyped" });
    const { host, port, user, password, certificate } = await person.targets.openConnection(target.id, login);
    await assert.rejects(
      mysql2.createConnection({ host, port, user, password, ssl: { ca: certificate } }),
      (error: Error) => /credential/.test(error.message) && !/mistyped/.test(error.message),
    );
    await admin.targets.setCredential(target.id, login, {
      kind: "password",
      password: server.logins[login] ?? "",
    });
  },
);

test(
  "results are those of a direct connection, and what was asked is what is recorded",
  options,
  async (context) => {
    const direct = await directly(context);
    await direct.query(
      "create table things (id int primary key, name varchar(50), price decimal(10,2), at datetime(6), doc json, data longblob)",
    );
    const asked: [string, unknown[]?][] = [
      [
        "insert into things values (1, 'Zoë 😀', 19.90, '2026-02-03 04:05:06.789012', '{\"a\":[1,2]}', x'00ff')",
      ],
      ["insert into things (id, name) values (?, ?)", [2, "O'Hara"]],
      ["select * from things order by id"],
      ["select * from things where id = ?", [1]],
      ["show columns from things"],
      [
        "with recursive n as (select 1 as i union all select i + 1 from n where i < 2000) select i, md5(i) from n",
      ],
    ];
    await direct.query("set session cte_max_recursion_depth = 10000");
    const gated = await through(context);
    await gated.query("set session cte_max_recursion_depth = 10000");
    for (const [sql, values] of asked) {
      if (sql.startsWith("insert")) {
        await rowsOf(gated, sql, values);
        continue;
      }
      const [here, there] = [await rowsOf(gated, sql, values), await rowsOf(direct, sql, values)];
      assert.deepEqual(here, there, sql);
    }
    await assert.rejects(
      gated.query("select * from nothing"),
      (error: { errno?: number; sqlState?: string }) => {
        assert.deepEqual([error.errno, error.sqlState], [1146, "42S02"]);
        return true;
      },
    );
    const several = "select 1 as a; select 2 as b; update things set price = 5 where id = 2";
    const [sets] = (await gated.query(several)) as unknown as [unknown[][]];
    assert.deepEqual(sets.slice(0, 2), [[{ a: 1 }], [{ b: 2 }]]);
    const texts = await askedOn(gated);
    assert.ok(
      texts.some((text) => text.includes("update things set price = 5 where id = 2")),
      texts.join(" | "),
    );
    for (const [sql] of asked) assert.ok(texts.includes(sql), `${sql} is recorded: ${texts.join(" | ")}`);
  },
);

test("packets above 16 MB pass whole in both directions", options, async (context) => {
  const gated = await through(context);
  const big = Buffer.alloc(17 * 1024 * 1024, "gatehouse ");
  const rows = (await rowsOf(gated, "select ? as back", [big])) as { back: Buffer | string }[];
  const sha = (data: Buffer | string) => createHash("sha256").update(data).digest("hex");
  assert.equal(sha(rows[0]?.back ?? ""), sha(big));
});

test(
  "a file of the client, another user, a reset and KILL work as without the gate",
  options,
  async (context) => {
    const gated = await through(context);
    await gated.query("create table loaded (id int, name varchar(20))");
    const [loaded] = await gated.query({
      sql: "load data local infile 'rows.tsv' into table loaded",
      infileStreamFactory: () => Readable.from([Buffer.from("1\tone\n2\ttwo\n")]),
    } as mysql2.QueryOptions);
    assert.equal((loaded as { affectedRows: number }).affectedRows, 2);
    assert.deepEqual(await rowsOf(gated, "select * from loaded order by id"), [
      { id: 1, name: "one" },
      { id: 2, name: "two" },
    ]);
    const other = await through(context);
    const [ids] = (await other.query("select connection_id() as id")) as unknown as [{ id: number }[]];
    const sleeping = other.query("select sleep(60)").then(
      () => "finished",
      (error: { code?: string }) => error.code ?? "failed",
    );
    await eventually("the statement that sleeps", async () =>
      (await server.sql("show processlist")).includes("sleep(60)") ? true : undefined,
    );
    await gated.query(`kill ${ids[0]?.id}`);
    assert.notEqual(await sleeping, "finished");
  },
);

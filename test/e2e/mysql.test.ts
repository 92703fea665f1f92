/**
 * MariaDB through the whole gateway, with stock clients: results are those of a direct
 * connection, and the recording is what was sent.
 */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Client } from "@gatehouse/contracts/client";
import type { Session, Target } from "@gatehouse/contracts/rest";
import { systemClock, systemRandom } from "@gatehouse/kernel";
import { type Statement, statementLine } from "@gatehouse/recording";
import mariadbDriver from "mariadb";
import mysql2 from "mysql2/promise";
import { makeCertificate, readCertificate } from "../../packages/gateway/src/passage/mod.ts";
import { type Gateway, startGateway } from "../parts/gateway.ts";
import { type MysqlServer, type Way, mariadb, mariadbProgram, startMariadb } from "../parts/mariadb.ts";
import {
  awaitSession,
  awaitStored,
  eventually,
  recordedSession,
  recordedStatements,
} from "../parts/sessions.ts";
import { signedIn } from "../parts/signed-in.ts";
import { openSysbench, sysbenchWay } from "../parts/sysbench.ts";

let server: MysqlServer;
let gateway: Gateway;
let target: Target;
let person: Client;
let direct: Way;
/** With its key; the server trusts it. */
let clientCertificate: string;
/** The gate's certificate, PEM. */
let certificate: string;

before(async () => {
  clientCertificate = await makeCertificate({ hosts: [], clock: systemClock, random: systemRandom });
  server = await startMariadb({ trustedClient: readCertificate(clientCertificate).certificate });
  gateway = await startGateway({
    config: { mysql: { listen: "127.0.0.1:0", mariadb: { listen: "127.0.0.1:0" } } },
  });
  target = await addDatabase("shop");
  const { id } = await gateway.admin.people.create({ name: "jane", roles: ["user"] });
  person = await signedIn(gateway, id);
  direct = {
    host: "127.0.0.1",
    port: server.port,
    user: "root",
    password: server.logins["root"] ?? "",
    certificateFile: file("server.pem", server.certificate),
  };
});
after(() => server.close());
after(() => gateway.close());

function file(name: string, text: string): string {
  const path = join(gateway.dataDir, name);
  writeFileSync(path, text);
  return path;
}

async function addDatabase(
  name: string,
  permits: { localFiles?: boolean } = {},
  { admin }: Pick<Gateway, "admin"> = gateway,
): Promise<Target> {
  const created = await admin.targets.create({
    name,
    protocol: "mariadb",
    host: "127.0.0.1",
    port: server.port,
    logins: Object.keys(server.logins),
    allowRoles: ["user"],
    permits,
  });
  for (const [login, password] of Object.entries(server.logins))
    await admin.targets.setCredential(created.id, login, { kind: "password", password });
  const scan = await admin.targets.scanHostKeys(created.id);
  assert.equal(scan.keys[0]?.publicKey.trim(), server.certificate.trim());
  return admin.targets.trustHostKeys(created.id, { kind: "pinned", keys: [server.certificate] });
}

/** A way through the gate with a fresh secret, the gate's certificate verified. */
async function through(login = "root", to = target): Promise<Way> {
  const opened = await person.targets.openConnection(to.id, login);
  ({ certificate } = opened);
  return {
    host: opened.host,
    port: opened.port,
    user: opened.user,
    password: opened.password,
    certificateFile: file("gate.pem", certificate),
  };
}
const options = ({ host, port, user, password }: Way) => ({
  host,
  port,
  user,
  password,
  database: "shop",
  ssl: { ca: certificate },
});

const seen = new Set<string>();
/** The session that was stored since the last call, and what was run in it, without what clients ask for themselves. */
async function lastSession(): Promise<{ session: Session; all: Statement[] }> {
  const session = await awaitStored(gateway, ({ id }) => !seen.has(id));
  seen.add(session.id);
  return { session, all: await recordedStatements(gateway, session) };
}
/** Without the time that it took. */
const lines = (all: readonly Statement[]) =>
  all.map((statement) => statementLine(statement).replace(/, [\d.]+ ms$/, ""));

test("the stock client shows the same as past the gate, and the recording says what was run", async () => {
  const script = [
    "select 1 as one, 'grün' as text;",
    "create table orders (id int primary key, note varchar(40));",
    "insert into orders values (1, 'first'), (2, 'second');",
    "begin; update orders set note = 'changed' where id = 2; commit;",
    "select * from orders order by id;",
    "select seq from seq_1_to_5000;",
    "",
  ].join("\n");
  const gated = await mariadb(await through(), script, "shop");
  assert.equal(gated.code, 0, gated.stderr);
  await server.sql("drop table shop.orders");
  const plain = await mariadb(direct, script, "shop");
  assert.equal(gated.stdout.toString(), plain.stdout.toString());
  const { session, all } = await lastSession();
  assert.deepEqual(
    [session.protocol, session.track, session.login, session.user.name, session.end?.reason],
    ["mariadb", "query", "root", "jane", "closed"],
  );
  const ran = lines(all);
  assert.deepEqual(ran.slice(ran.findIndex((line) => line.startsWith("select 1"))), [
    "select 1 as one, 'grün' as text -> 1 row in set",
    "create table orders (id int primary key, note varchar(40)) -> OK, 0 rows affected",
    "insert into orders values (1, 'first'), (2, 'second') -> OK, 2 rows affected (Records: 2  Duplicates: 0  Warnings: 0)",
    "begin -> OK, 0 rows affected",
    "update orders set note = 'changed' where id = 2 -> OK, 1 row affected (Rows matched: 1  Changed: 1  Warnings: 0)",
    "commit -> OK, 0 rows affected",
    "select * from orders order by id -> 2 rows in set",
    "select seq from seq_1_to_5000 -> 5000 rows in set",
  ]);
  // What the database itself wrote down of the two is the same, statement by statement.
  const logged = server
    .log()
    .split("\n")
    .filter((line) => line.includes("insert into orders values (1, 'first'), (2, 'second')"));
  assert.equal(logged.length, 2);
});

test("an error is the client's own, and recorded with its code and SQLSTATE", async () => {
  const gated = await mariadb(await through(), "select nonsense;\n", "shop");
  const plain = await mariadb(direct, "select nonsense;\n", "shop");
  assert.equal(gated.code, 1);
  assert.equal(gated.stderr, plain.stderr);
  const { all } = await lastSession();
  assert.match(lines(all).at(-1) ?? "", /^select nonsense -> ERROR 1054 \(42S22\) Unknown column 'nonsense'/);
});

for (const login of ["mysql_native_password", "ed25519"])
  test(`the gate signs in to the target by ${login}`, async () => {
    const gated = await mariadb(await through(login), "select current_user();\n", "-N", "shop");
    assert.equal(gated.stdout.toString().trim(), `${login}@%`, gated.stderr);
    const { session } = await lastSession();
    assert.equal(session.login, login);
  });

test("nobody comes in without TLS, with a wrong secret, or to a login that is not theirs", async () => {
  const way = await through();
  const plain = await mariadbProgram("mariadb", way, ["-e", "select 1", "--skip-ssl"]);
  assert.equal(plain.code, 1);
  assert.match(plain.stderr, /TLS|SSL|secure/i);
  const wrong = await mariadb({ ...way, password: "x".repeat(43) }, "select 1;\n");
  assert.match(wrong.stderr, /ERROR 1045 \(28000\)/);
  const other = await mariadb({ ...way, user: way.user.replace("root", "nobody") }, "select 1;\n");
  assert.match(other.stderr, /ERROR 1045 \(28000\)/);
  assert.ok(!server.log().includes("nobody"), "the database was not asked");
});

test("a secret is rotated once MariaDB has let the gate in with it, and stays where it does not", async () => {
  const rotate = (password: string) =>
    gateway.admin.targets.rotateCredential(target.id, "ed25519", { kind: "password", password });
  const opens = async () => (await mariadb(await through("ed25519"), "select 'in'")).stdout.toString();
  await assert.rejects(
    rotate("the next one"),
    /stays as it was: shop refused the gate's credential for ed25519/,
  );
  assert.match(await opens(), /in/);
  const changed = await mariadb(
    direct,
    "alter user ed25519 identified via ed25519 using password('the next one')",
  );
  assert.equal(changed.code, 0, changed.stderr);
  await rotate("the next one");
  assert.match(await opens(), /in/);
  await assert.rejects(rotate("ed25519 secret"));
  await mariadb(direct, "alter user ed25519 identified via ed25519 using password('ed25519 secret')");
  await rotate("ed25519 secret");
  await lastSession();
  await lastSession();
});

test("the gate shows a certificate where an account requires one", async () => {
  await server.sql("alter user mysql_native_password require x509");
  const opens = async () => mariadb(await through("mysql_native_password"), "select current_user()");
  assert.match((await opens()).stderr, /refused the gate's credential for mysql_native_password/);
  await gateway.admin.targets.rotateCredential(target.id, "mysql_native_password", {
    kind: "private-key",
    privateKey: clientCertificate,
    password: server.logins["mysql_native_password"],
  });
  const opened = await opens();
  assert.equal(opened.stdout.toString(), "current_user()\nmysql_native_password@%\n", opened.stderr);
  await lastSession();
  await server.sql("alter user mysql_native_password require none");
});

test("mysql2: prepared statements, many statements at once, and their results", async () => {
  const client = await mysql2.createConnection({ ...options(await through()), multipleStatements: true });
  const [added] = await client.execute("select ? + ? as sum, ? as nothing, ? as day", [
    20,
    22,
    null,
    "2026-02-09",
  ]);
  assert.deepEqual(added, [{ sum: 42, nothing: null, day: "2026-02-09" }]);
  const [many] = await client.query("select 1 as a; do 0; select 2 as b");
  assert.deepEqual((many as unknown[])[0], [{ a: 1 }]);
  assert.deepEqual((many as unknown[])[2], [{ b: 2 }]);
  await assert.rejects(client.execute("select * from missing"), { errno: 1146, sqlState: "42S02" });
  await client.end();
  const { all } = await lastSession();
  const ran = lines(all);
  assert.ok(
    ran.includes(
      "select ? + ? as sum, ? as nothing, ? as day [$1='20', $2='22', $3=NULL, $4='2026-02-09'] -> 1 row in set",
    ),
    ran.join("\n"),
  );
  assert.ok(
    ran.includes("select 1 as a; do 0; select 2 as b -> 1 row in set, OK, 0 rows affected, 1 row in set"),
    ran.join("\n"),
  );
  assert.ok(
    ran.some((line) => line.startsWith("select * from missing -> ERROR 1146 (42S02)")),
    ran.join("\n"),
  );
});

test("MariaDB's own driver: values of every kind, bulk inserts, and a packet above 16 MiB", async () => {
  const way = await through();
  const client = await mariadbDriver.createConnection({ ...options(way), bulk: true });
  await client.query("create temporary table blobs (id int, data longblob)");
  const data = randomBytes(17 * 1024 * 1024);
  await client.query("insert into blobs values (?, ?)", [1, data]);
  const [{ digest }] = (await client.query("select sha2(data, 256) as digest from blobs")) as [
    { digest: string },
  ];
  assert.equal(digest, createHash("sha256").update(data).digest("hex"));
  const [{ data: back }] = (await client.query("select data from blobs")) as [{ data: Buffer }];
  assert.ok(back.equals(data), "it came back whole");
  await client.query("create temporary table numbers (n int, t varchar(9))");
  await client.batch("insert into numbers values (?, ?)", [
    [1, "one"],
    [2, "two"],
    [3, null],
  ]);
  const rows: unknown = await client.query("select n, t from numbers order by n");
  assert.deepEqual(JSON.parse(JSON.stringify(rows)), [
    { n: 1, t: "one" },
    { n: 2, t: "two" },
    { n: 3, t: null },
  ]);
  await client.end();
  const { all } = await lastSession();
  const bulk = all.find(({ text, values }) => text.startsWith("insert into numbers") && values.length > 0);
  assert.ok(bulk, lines(all).join("\n"));
  const insert = all.find(({ text }) => text.startsWith("insert into blobs"));
  assert.deepEqual(
    insert?.results.map(({ tag }) => tag),
    ["OK, 1 row affected"],
  );
});

test("a dump through the gate is the dump past it, and is restored through the gate to the same", async () => {
  await server.sql(
    "use shop; create table items (id int primary key auto_increment, name varchar(20), photo blob); insert into items (name, photo) select concat('item ', seq), unhex(sha2(seq, 256)) from seq_1_to_3000; create view first as select * from items where id < 10; create trigger named before insert on items for each row set new.name = lower(new.name); create database copied",
  );
  const args = ["--hex-blob", "--routines", "--triggers", "--single-transaction", "shop", "items", "first"];
  // Of the two a server says one: the gate greets by a version of its own.
  const told = (dump: Buffer) =>
    dump.toString().replaceAll(/^-- (?:Server version|Dump completed on)\s.*$/gm, "");
  const gated = await mariadbProgram("mariadb-dump", await through(), args);
  assert.equal(gated.code, 0, gated.stderr);
  const plain = await mariadbProgram("mariadb-dump", direct, args);
  assert.equal(told(gated.stdout), told(plain.stdout));
  assert.ok(gated.stdout.length > 200_000);
  const { all } = await lastSession();
  assert.ok(
    lines(all).some((line) => /^SELECT .* FROM `items` -> 3000 rows in set$/.test(line)),
    lines(all).join("\n"),
  );
  const restored = await mariadb(await through(), gated.stdout.toString(), "copied");
  assert.equal(restored.code, 0, restored.stderr);
  const sums = await server.sql(
    "checksum table shop.items, copied.items extended; select count(*) from copied.first",
  );
  assert.match(sums, /^shop\.items\t(\d+)\ncopied\.items\t\1\n9$/);
  const { all: ran } = await lastSession();
  const inserted = ran.filter(({ text }) => text.startsWith("INSERT INTO `items`"));
  assert.deepEqual(
    inserted.map(({ text }) => text),
    gated.stdout.toString().match(/^INSERT INTO `items`[^;]*/gm),
  );
});

test("a load test's statements are there, each", async () => {
  const slap = await mariadbProgram("mariadb-slap", await through(), [
    "--create-schema=slap",
    "--concurrency=4",
    "--number-of-queries=200",
    "--create=create table t (a int)",
    "--query=insert into t values (1)",
  ]);
  assert.equal(slap.code, 0, slap.stderr);
  let inserted = 0;
  // Its own connection makes and drops the schema; four more insert.
  for (let i = 0; i < 5; i++)
    inserted += (await lastSession()).all.filter(({ text }) => text === "insert into t values (1)").length;
  assert.equal(inserted, 200);
});

test("sysbench with prepared statements: the recording is what it sent, and does the same when it is run again", async (context) => {
  const sysbench = openSysbench();
  context.after(() => sysbench.close());
  const way = await sysbenchWay(person, target.id, "root");
  const load = "--table-size=200 --threads=1 --events=20 --time=0 --db-ps-mode=auto".split(" ");
  await sysbench.run(way, "oltp_read_write", ...load, "prepare");
  await lastSession();
  await server.sql(
    "create table shop.again like shop.sbtest1; insert into shop.again select * from shop.sbtest1",
  );
  const before = server.log().length;
  const said = await sysbench.run(way, "oltp_read_write", ...load, "run");
  assert.match(said, /transactions: +20 /);
  const { all } = await lastSession();
  const logged = server.log().slice(before).split("\n");
  const sent = logged.flatMap((line) => / (?:Execute|Query)\t(.*)$/.exec(line)?.[1] ?? []);
  assert.ok(sent.length > 300, sent.join("\n"));
  const written = ({ text, values }: Statement) => {
    const rest = [...values];
    return text.replaceAll("?", () => {
      const { text: value = "", type = "" } = rest.shift() ?? {};
      return /int|long/i.test(type) ? value : `'${value}'`;
    });
  };
  const ran = all.filter(({ type }) => type !== "call").map(written);
  assert.deepEqual(ran, sent);
  await server.sql(`use shop; ${ran.join(";\n").replaceAll("sbtest1", "again")}`);
  const sums = await server.sql("checksum table shop.sbtest1, shop.again extended");
  assert.match(sums, /^shop\.sbtest1\t(\d+)\nshop\.again\t\1$/);
});

test("a file of the client's is read only where the target allows it, and is on record", async () => {
  const text = Array.from({ length: 1000 }, (_, i) => `${i}\tline ${i}\n`).join("");
  const path = file("lines.tsv", text);
  await server.sql("create table shop.lines (id int, line varchar(20))");
  const load = `load data local infile '${path}' into table shop.lines;\n`;
  const refused = await mariadb(await through(), load, "--local-infile=1", "shop");
  assert.equal(refused.code, 1, "it was allowed");
  assert.equal(await server.sql("select count(*) from shop.lines"), "0");
  await awaitStored(gateway, ({ id }) => !seen.has(id)).then(({ id }) => seen.add(id));

  const lenient = await addDatabase("lenient", { localFiles: true });
  const gated = await mariadb(await through("root", lenient), load, "--local-infile=1", "shop");
  assert.equal(gated.code, 0, gated.stderr);
  assert.equal(await server.sql("select count(*) from shop.lines"), "1000");
  const { all } = await lastSession();
  const loaded = all.find((statement) => statement.text.startsWith("load data"));
  assert.deepEqual(loaded?.copiedIn, {
    bytes: Buffer.byteLength(text),
    sha256: createHash("sha256").update(text).digest("hex"),
  });
});

test("KILL reaches a connection of the gate's by the number that its client knows", async () => {
  const sleeping = await mysql2.createConnection(options(await through()));
  const killer = await mysql2.createConnection({ ...options(await through()), multipleStatements: true });
  const slept = sleeping.query("select sleep(60)").then(
    () => "it slept on",
    (error: unknown) => String(error),
  );
  await eventually("the sleep", async () => {
    const found = await server.sql(
      "select count(*) from information_schema.processlist where info like 'select sleep%'",
    );
    return found === "1" ? true : undefined;
  });
  // Its client was told this by the gate; the server calls it otherwise.
  await killer.query(`do 1; kill query ${sleeping.threadId}`);
  assert.notEqual(await slept, "it slept on");
  await killer.end();
  await sleeping.end();
  for (let i = 0; i < 2; i++) await lastSession();
});

test("a paused statement waits, and runs in its order when input passes again", async () => {
  const client = await mysql2.createConnection(options(await through()));
  const other = await mysql2.createConnection(options(await through()));
  await client.query("select 'before'");
  const [newest, older] = await eventually("both sessions", async () => {
    const { items } = await gateway.admin.sessions.list({ state: "live" });
    return items.length === 2 ? items : undefined;
  });
  const id = older?.id ?? "";
  await gateway.admin.sessions.pause(id, { reason: "look" });
  let answered = false;
  const waiting = client.query("select 'meanwhile' as said").finally(() => (answered = true));
  // What the other connection does takes its time, and the statement has long arrived.
  await other.query("select 'not paused'");
  assert.equal(answered, false);
  assert.ok(!server.log().includes("meanwhile"), "the server knows nothing of it");
  await gateway.admin.sessions.resume(id, {});
  const [rows] = await waiting;
  assert.deepEqual(rows, [{ said: "meanwhile" }]);
  await client.end();
  await other.end();
  const ended = await recordedSession(gateway, (session) => session.id === id);
  const order = ended.frames.map(({ kind }) => kind).filter((kind) => /^(pause|resume|query)$/.test(kind));
  assert.deepEqual(order.slice(-3), ["pause", "resume", "query"]);
  for (const found of [newest, older]) seen.add(found?.id ?? "");
});

test("one that has waited too long is refused and not run, and its transaction is as it was", async () => {
  const impatient = await startGateway({
    config: { mysql: { listen: "127.0.0.1:0" }, moderation: { request_wait: "1s" } },
  });
  try {
    const { admin } = impatient;
    const created = await addDatabase("shop", {}, impatient);
    const { id: jane } = await admin.people.create({ name: "jane", roles: ["user"] });
    const opened = await (await signedIn(impatient, jane)).targets.openConnection(created.id, "root");
    const { host, port, user, password } = opened;
    const ssl = { ca: opened.certificate };
    const client = await mysql2.createConnection({ host, port, user, password, database: "shop", ssl });
    await client.query("create table kept (n int)");
    await client.query("begin");
    await client.query("insert into kept values (1)");
    const { id } = await awaitSession(impatient, ({ state }) => state === "live");
    await admin.sessions.pause(id, { reason: "look" });
    await assert.rejects(client.query("insert into kept values (2)"), { errno: 1317, sqlState: "70100" });
    await assert.rejects(client.execute("insert into kept values (?)", [3]), { errno: 1317 });
    await admin.sessions.resume(id, {});
    await client.query("insert into kept values (4)");
    await client.query("commit");
    const [rows] = await client.query("select n from kept order by n");
    assert.deepEqual(rows, [{ n: 1 }, { n: 4 }]);
    await client.end();
    assert.ok(!server.log().includes("values (2)"), "the server knows nothing of it");
    const session = await awaitStored(impatient, (one) => one.id === id);
    const all = await recordedStatements(impatient, session);
    const refused = lines(all).filter((line) => line.includes("refused"));
    assert.equal(refused.length, 2, lines(all).join("\n"));
    assert.match(refused[0] ?? "", /ERROR 1317 \(70100\) input is paused/);
  } finally {
    await impatient.close();
  }
});

test("a session that is ended from above says why in the protocol's own words", async () => {
  const client = await mysql2.createConnection(options(await through()));
  await client.query("select 1");
  const live = await awaitSession(gateway, ({ state }) => state === "live");
  const slept = client.query("select sleep(60)").then(
    () => "it slept on",
    (error: unknown) => String(error),
  );
  await eventually("the sleep", async () => {
    const found = await server.sql(
      "select count(*) from information_schema.processlist where info like 'select sleep%'",
    );
    return found === "1" ? true : undefined;
  });
  await gateway.admin.sessions.terminate(live.id, { reason: "enough of it" });
  assert.match(await slept, /enough of it|closed|lost/i);
  const { session } = await lastSession();
  assert.equal(session.end?.reason, "terminated");
  await eventually("the end of it at the database", async () => {
    const found = await server.sql(
      "select count(*) from information_schema.processlist where info like 'select sleep%'",
    );
    return found === "0" ? true : undefined;
  });
});

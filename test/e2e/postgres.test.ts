/**
 * PostgreSQL through the whole gateway, with stock clients and a real server: results are those of a direct connection,
 * and the recording is what was sent.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Client } from "@gatehouse/contracts/client";
import type { Session, Target } from "@gatehouse/contracts/rest";
import { systemClock, systemRandom } from "@gatehouse/kernel";
import { type Statement, statementLine, statements } from "@gatehouse/recording";
import pg from "pg";
import { makeCertificate, readCertificate } from "../../packages/gateway/src/passage/mod.ts";
import { type Gateway, startGateway } from "../parts/gateway.ts";
import { run } from "../parts/openssh.ts";
import { cancel } from "../parts/databases.ts";
import { type Postgres, type Way, postgresProgram, psql, startPostgres } from "../parts/postgres.ts";
import { awaitEvents, awaitStored, eventually, recorded } from "../parts/sessions.ts";
import { signedIn } from "../parts/signed-in.ts";

let postgres: Postgres;
/** With its key; the server trusts it. */
let clientCertificate: string;
let gateway: Gateway;
let target: Target;
let person: Client;
let direct: Way;

before(async () => {
  clientCertificate = await makeCertificate({ hosts: [], clock: systemClock, random: systemRandom });
  const { certificate } = readCertificate(clientCertificate);
  postgres = await startPostgres({}, { trustedClient: certificate });
  gateway = await startGateway({ config: { postgres: { listen: "127.0.0.1:0" } } });
  target = await addDatabase(gateway);
  person = await newcomer(gateway, "jane");
  direct = {
    PGHOST: "127.0.0.1",
    PGPORT: String(postgres.port),
    PGUSER: postgres.user,
    PGPASSWORD: postgres.password,
    PGSSLMODE: "require",
    PGDATABASE: "postgres",
  };
});
after(async () => {
  await gateway?.close();
  await postgres?.close();
});

async function addDatabase(at: Gateway): Promise<Target> {
  const created = await at.admin.targets.create({
    name: "orders",
    protocol: "postgres",
    host: "127.0.0.1",
    port: postgres.port,
    logins: ["postgres", "md5user", "plainuser", "certuser", "bothuser"],
    allowRoles: ["user"],
  });
  const passwords = { postgres: postgres.password, md5user: "md5", plainuser: "plain" };
  for (const [login, password] of Object.entries(passwords))
    await at.admin.targets.setCredential(created.id, login, { kind: "password", password });
  const scan = await at.admin.targets.scanHostKeys(created.id);
  assert.equal(scan.keys[0]?.publicKey.trim(), postgres.certificate.trim());
  return at.admin.targets.trustHostKeys(created.id, { kind: "pinned", keys: [postgres.certificate] });
}

async function newcomer(at: Gateway, name: string): Promise<Client> {
  const { id } = await at.admin.people.create({ name, roles: ["user"] });
  return signedIn(at, id);
}

/** A way through the gate with a fresh secret, its certificate verified. */
async function through(login = "postgres", who = person, at = gateway, of = target): Promise<Way> {
  const { host, port, user, password, certificate } = await who.targets.openConnection(of.id, login);
  const file = join(at.dataDir, "gate.pem");
  writeFileSync(file, certificate);
  return {
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGPASSWORD: password,
    PGSSLMODE: "verify-full",
    PGSSLROOTCERT: file,
    PGDATABASE: "postgres",
  };
}

const seen = new Set<string>();
/** The session that was stored since the last call, and its statements. */
async function lastSession(at = gateway): Promise<{ session: Session; all: Statement[] }> {
  const session = await awaitStored(at, ({ id }) => !seen.has(id));
  seen.add(session.id);
  const all: Statement[] = [];
  for await (const statement of statements((await recorded(at, session)).frames)) all.push(statement);
  return { session, all };
}
/** Without the time that it took. */
const lines = (all: readonly Statement[]) =>
  all.map((statement) => statementLine(statement).replace(/, [\d.]+ ms$/, ""));

test("psql shows the same as past the gate, and the recording says what was run", async () => {
  const script = [
    "select 1 as one, 'grün' as text;",
    "select generate_series(1, 20000);",
    "begin; create temp table t (a int); insert into t values (1), (2); commit;",
    "select nonsense;",
    "do $$ begin raise notice 'look'; end $$;",
    "",
  ].join("\n");
  const plain = await psql(direct, script);
  const gated = await psql(await through(), script);
  assert.equal(gated.stdout.toString(), plain.stdout.toString());
  assert.equal(gated.stderr, plain.stderr);
  const { session, all } = await lastSession();
  assert.deepEqual(
    [session.protocol, session.kind, session.track, session.login, session.end?.reason],
    ["postgres", "sql", "query", "postgres", "closed"],
  );
  assert.deepEqual(lines(all), [
    "select 1 as one, 'grün' as text; -> SELECT 1",
    "select generate_series(1, 20000); -> SELECT 20000",
    "begin; -> BEGIN",
    "create temp table t (a int); -> CREATE TABLE",
    "insert into t values (1), (2); -> INSERT 0 2",
    "commit; -> COMMIT",
    'select nonsense; -> ERROR 42703 column "nonsense" does not exist',
    "do $$ begin raise notice 'look'; end $$; -> DO",
  ]);
  assert.deepEqual(
    all.at(-1)?.notices.map(({ severity, message }) => `${severity} ${message}`),
    ["NOTICE look"],
  );
  assert.deepEqual(
    all.map(({ status }) => status),
    ["idle", "idle", "transaction", "transaction", "transaction", "idle", "idle", "idle"],
  );
});

test("a driver's prepared statements, their values and pipelining are recorded as they were sent", async () => {
  const way = await through();
  const client = new pg.Client({
    host: way.PGHOST,
    port: Number(way.PGPORT),
    user: way.PGUSER,
    password: way.PGPASSWORD,
    database: "postgres",
    ssl: { ca: (await person.targets.openConnection(target.id, "postgres")).certificate },
  });
  await client.connect();
  // Clients hold it against the sender of a notification, and give it to pg_terminate_backend().
  const { processID } = client as unknown as { processID: number };
  assert.deepEqual((await client.query("select pg_backend_pid() as pid")).rows, [{ pid: processID }]);
  const rows = await client.query({ name: "sum", text: "select $1::int + $2::int as sum", values: [20, 22] });
  assert.deepEqual(rows.rows, [{ sum: 42 }]);
  await client.query({ name: "sum", text: "select $1::int + $2::int as sum", values: [1, null] });
  await client.query("select $1::text as t", ["it's"]);
  await assert.rejects(client.query("select 1/$1::int", [0]), /division by zero/);
  await assert.rejects(client.query("selec $1", [0]), /syntax error/);
  await client.end();
  const { all } = await lastSession();
  assert.deepEqual(lines(all), [
    "select pg_backend_pid() as pid -> SELECT 1",
    "select $1::int + $2::int as sum [$1='20', $2='22'] -> SELECT 1",
    "select $1::int + $2::int as sum [$1='1', $2=NULL] -> SELECT 1",
    "select $1::text as t [$1='it's'] -> SELECT 1",
    // The planner computes it when the value is bound, so the execute behind it is passed over.
    "select 1/$1::int [$1='0'] -> ERROR 22012 division by zero",
    "select 1/$1::int [$1='0'] -> discarded",
    'selec $1 -> ERROR 42601 syntax error at or near "selec"',
    "selec $1 [$1='0'] -> discarded",
  ]);
});

test("copies pass both ways whole, counted and digested", async () => {
  const rows = Array.from({ length: 50_000 }, (_, i) => `${i}\trow ${i}\n`).join("");
  const sha256 = createHash("sha256").update(rows).digest("hex");
  await postgres.sql("create table copied (a int, b text)");
  // psql sends its end marker along, as versions before 17 do.
  const sent = `${rows}\\.\n`;
  const filled = await psql(await through(), sent, "-c", "copy copied from stdin");
  assert.equal(filled.stdout.toString().trim(), "COPY 50000", filled.stderr);
  const incoming = await lastSession();
  assert.deepEqual(
    incoming.all.map(({ text, copiedIn, results }) => ({ text, copiedIn, results })),
    [
      {
        text: "copy copied from stdin",
        copiedIn: {
          bytes: Buffer.byteLength(sent),
          sha256: createHash("sha256").update(sent).digest("hex"),
        },
        results: [{ tag: "COPY 50000", rows: 50_000 }],
      },
    ],
  );
  const read = await psql(await through(), "", "-c", "copy copied to stdout");
  assert.equal(read.stdout.toString(), rows);
  const outgoing = await lastSession();
  assert.deepEqual(outgoing.all[0]?.copiedOut, { bytes: Buffer.byteLength(rows), sha256 });
});

test("pgbench runs in every mode, and every statement is there", async () => {
  const init = await postgresProgram("pgbench", await through(), "-i", "-q", "-s", "1");
  assert.equal(init.code, 0, init.stderr);
  await lastSession();
  for (const mode of ["simple", "extended", "prepared"]) {
    const ran = await postgresProgram("pgbench", await through(), "-n", "-S", "-t", "20", "-M", mode);
    assert.match(ran.stdout.toString(), /transactions actually processed: 20\/20/, ran.stderr);
    const { all } = await eventually("the benchmark's session", async () => {
      const found = await lastSession();
      return found.all.length >= 20 ? found : undefined;
    });
    const selects = all.filter(({ text }) => text.startsWith("SELECT abalance"));
    assert.equal(selects.filter(({ results }) => results[0]?.tag === "SELECT 1").length, 20, mode);
  }
});

test("pg_dump through the gate is the same dump", async () => {
  const plain = await postgresProgram("pg_dump", direct, "-t", "copied");
  const gated = await postgresProgram("pg_dump", await through(), "-t", "copied");
  assert.equal(gated.code, 0, gated.stderr);
  const same = (text: string) => text.replaceAll(/^\\(un)?restrict .*$/gm, "");
  assert.equal(same(gated.stdout.toString()), same(plain.stdout.toString()));
  await lastSession();
});

test("the gate signs in by MD5 and by password too", async () => {
  for (const login of ["md5user", "plainuser"]) {
    const ran = await psql(await through(login), "select current_user", "-t");
    assert.equal(ran.stdout.toString().trim(), login, ran.stderr);
    await lastSession();
  }
});

test("who names no database gets the one that is called as the login", async () => {
  const { PGDATABASE: _, ...way } = await through();
  const ran = await psql(way as Way, "select current_database()", "-t");
  assert.equal(ran.stdout.toString().trim(), "postgres", ran.stderr);
  await lastSession();
});

test("a cancel request stops the statement and is recorded", async () => {
  const way = await through();
  const client = new pg.Client({
    host: way.PGHOST,
    port: Number(way.PGPORT),
    user: way.PGUSER,
    password: way.PGPASSWORD,
    database: "postgres",
    ssl: { rejectUnauthorized: false },
  });
  await client.connect();
  const sleeping = client.query("select pg_sleep(60)");
  const stopped = assert.rejects(sleeping, /canceling statement due to user request/);
  await eventually("the statement to run", async () =>
    (await postgres.sql("select count(*) from pg_stat_activity where query = 'select pg_sleep(60)'")) === "1"
      ? true
      : undefined,
  );
  cancel(client);
  await stopped;
  await client.end();
  const { all } = await lastSession();
  assert.deepEqual(lines(all), [
    "cancel",
    "select pg_sleep(60) -> ERROR 57014 canceling statement due to user request",
  ]);
});

test("who may not, or shows no good secret, or no TLS, gets the protocol's own refusal, and the target sees nothing", async () => {
  const connections = () => postgres.log().split("connection authorized").length;
  const before = connections();
  const good = await through();
  const refused = async (change: Partial<Way>, words: RegExp) => {
    const ran = await psql({ ...good, ...change } as Way, "select 1");
    assert.equal(ran.code, 2);
    assert.match(ran.stderr, words);
  };
  await refused({ PGPASSWORD: "wrong" }, /no connection secret that is good now/);
  await refused({ PGUSER: "postgres" }, /does not say where to go/);
  await refused({ PGUSER: "postgres+nowhere" }, /no database nowhere that you may open/);
  await refused({ PGUSER: "md5user+orders" }, /for another login or target/);
  await refused({ PGSSLMODE: "disable" }, /entered with TLS only/);
  const replicating = await psql(good, "", "-d", "dbname=postgres replication=true", "-c", "select 1");
  assert.match(replicating.stderr, /replication is not permitted on orders/);
  assert.equal(connections(), before);
  await awaitEvents(gateway, { event: "user.login", user: "unknown" });
  await assert.rejects(person.targets.openConnection(target.id, "root"), /may not do this/);
});

test("a server's own refusal reaches the client as it was said", async () => {
  const ran = await psql({ ...(await through()), PGDATABASE: "nowhere" }, "select 1");
  assert.match(ran.stderr, /database "nowhere" does not exist/);
  const { session } = await lastSession();
  assert.equal(session.end?.reason, "failed");
});

test("a server whose certificate is another is not given the credential", async () => {
  const own = (await through()).PGSSLROOTCERT ?? "";
  await gateway.admin.targets.trustHostKeys(target.id, { kind: "pinned", keys: [readFileSync(own, "utf8")] });
  const ran = await psql(await through(), "select 1");
  assert.match(ran.stderr, /shows another certificate than the one that is pinned/);
  await gateway.admin.targets.trustHostKeys(target.id, { kind: "ca", keys: [postgres.certificate] });
  assert.equal((await psql(await through(), "select 2", "-t")).stdout.toString().trim(), "2");
  await lastSession();
  await lastSession();
});

test("a secret is rotated once PostgreSQL has let the gate in with it, and stays where it does not", async () => {
  const { admin } = gateway;
  const opens = async (login: string) =>
    (await psql(await through(login), "select 'in'", "-t")).stdout.toString().trim();
  const rotate = (login: string, password: string) =>
    admin.targets.rotateCredential(target.id, login, { kind: "password", password });
  for (const login of ["postgres", "md5user", "plainuser"])
    await assert.rejects(rotate(login, "of nobody at all"), {
      code: "conflict",
      message: `the secret of ${login} on orders stays as it was: orders refused the gate's credential for ${login}`,
    });
  assert.equal(await opens("md5user"), "in");
  assert.equal((await psql(direct, "alter role md5user password 'the next one'")).code, 0);
  await rotate("md5user", "the next one");
  assert.equal(await opens("md5user"), "in");
  await assert.rejects(rotate("md5user", "md5"), { code: "conflict" }, "the one before is good no more");
  const told = await awaitEvents(gateway, { event: "credential.update" });
  assert.deepEqual(
    told.map(({ code, fields }) => [code, fields["name"], fields["reason"] !== undefined]),
    [
      ["GH5002W", "orders/postgres", true],
      ["GH5002W", "orders/md5user", true],
      ["GH5002W", "orders/plainuser", true],
      ["GH5002I", "orders/md5user", false],
      ["GH5002W", "orders/md5user", true],
    ],
  );
  const everything = JSON.stringify(told) + gateway.output();
  assert.ok(!everything.includes("the next one") && !everything.includes("of nobody at all"));
  await admin.targets.trustHostKeys(target.id, { kind: "pinned", keys: [] });
  await assert.rejects(rotate("md5user", "the next one"), /nobody has said yet which certificate orders has/);
  await admin.targets.trustHostKeys(target.id, { kind: "pinned", keys: [postgres.certificate] });
  await lastSession();
  await lastSession();
});

test("the gate signs in by a certificate, and by one and a password", async () => {
  const rejected = (login: string, word: RegExp) => async () => {
    const ran = await psql(await through(login), "select 1");
    assert.equal(ran.code, 2);
    assert.match(ran.stderr, word);
  };
  await rejected("certuser", /the gate has nothing to sign in with as certuser at orders/)();
  const { admin } = gateway;
  const key = { kind: "private-key", privateKey: clientCertificate } as const;
  for (const privateKey of [postgres.certificate, readCertificate(clientCertificate).key])
    await assert.rejects(admin.targets.setCredential(target.id, "certuser", { ...key, privateKey }), {
      code: "invalid",
      message: /no certificate with its private key/,
    });
  await assert.rejects(admin.targets.setCredential(target.id, "certuser", { kind: "certificate" }), {
    code: "invalid",
  });
  for (const login of ["certuser", "bothuser"]) await admin.targets.setCredential(target.id, login, key);
  assert.equal(
    (await psql(await through("certuser"), "select current_user", "-t")).stdout.toString(),
    "certuser\n",
  );
  await rejected("bothuser", /asks for a password for bothuser, and the gate has a certificate only/)();
  // Proved before it is kept.
  await assert.rejects(
    admin.targets.rotateCredential(target.id, "bothuser", { ...key, password: "wrong" }),
    /stays as it was/,
  );
  await admin.targets.rotateCredential(target.id, "bothuser", { ...key, password: "both" });
  assert.equal(
    (await psql(await through("bothuser"), "select current_user", "-t")).stdout.toString(),
    "bothuser\n",
  );
  const { logins, credentialKinds } = await admin.targets.get(target.id);
  assert.deepEqual(
    [credentialKinds, logins.map(({ credential }) => credential)],
    [
      ["password", "private-key"],
      ["password", "password", "password", "private-key", "private-key"],
    ],
  );
});

test("where it is permitted, the server is copied with its stream of changes, and the recording has both", async () => {
  const permit = (may: boolean) => gateway.admin.targets.update(target.id, { permits: { replication: may } });
  await permit(true);
  const copy = mkdtempSync(join(tmpdir(), "gatehouse-backup-"));
  try {
    const way = await through();
    const ran = await postgresProgram(
      "pg_basebackup",
      way,
      "-D",
      copy,
      "-X",
      "stream",
      "-c",
      "fast",
      "--no-slot",
    );
    assert.equal(ran.code, 0, ran.stderr);
    const verified = await postgresProgram("pg_verifybackup", way, copy);
    assert.equal(verified.code, 0, verified.stderr);
  } finally {
    rmSync(copy, { recursive: true });
    await permit(false);
  }
  const sessions = [await lastSession(), await lastSession()];
  const said = sessions.flatMap(({ all }) => all);
  const found = (begins: string) => {
    const statement = said.find(({ text }) => text.startsWith(begins));
    assert.ok(statement, `${begins} in ${said.map(({ text }) => text).join("; ")}`);
    return statement;
  };
  const base = found("BASE_BACKUP");
  assert.equal(base.error, undefined);
  assert.ok((base.copiedOut?.bytes ?? 0) > 1_000_000, "all files passed");
  const stream = found("START_REPLICATION");
  assert.equal(stream.error, undefined);
  assert.ok((stream.copiedOut?.bytes ?? 0) > 0, "the stream out");
  assert.ok((stream.copiedIn?.bytes ?? 0) > 0, "and what the client said of it");
  await assert.rejects(gateway.admin.targets.update(target.id, { permits: { localFiles: true } }), {
    code: "invalid",
    message: /there is no localFiles on a target of postgres/,
  });
});

test("a session that must end tells its client so in the words of the protocol", async () => {
  const short = await startGateway({
    config: { postgres: { listen: "127.0.0.1:0" }, sessions: { max_duration: "3s", ending_grace: "1s" } },
  });
  const database = await addDatabase(short);
  const way = await through("postgres", await newcomer(short, "jo"), short, database);
  const ran = await psql(way, "select 1; select pg_sleep(50);");
  assert.match(ran.stderr, /FATAL: {2}this session has reached its maximum time/);
  // What ran is stopped, and not only its answer.
  await eventually("the statement's end", async () =>
    (await postgres.sql("select count(*) from pg_stat_activity where query like 'select pg_sleep(50)%'")) ===
    "0"
      ? true
      : undefined,
  );
  const { session, all } = await lastSession(short);
  assert.equal(session.end?.reason, "max_duration");
  assert.deepEqual(lines(all), ["select 1; -> SELECT 1", "select pg_sleep(50); -> no outcome"]);
  await short.close();
});

test("the command line opens a database and prints what was run there", async () => {
  const profiles = mkdtempSync(join(tmpdir(), "gatehouse-profiles-"));
  const command = fileURLToPath(new URL("../../packages/cli/bin/gatehouse", import.meta.url));
  const gatehouse = (args: string[], input = "") =>
    run(command, args, { env: { XDG_CONFIG_HOME: profiles, PSQLRC: "/dev/null" }, input });
  const { items } = await gateway.admin.people.list();
  const link = await gateway.admin.people.signInLink(items.find(({ name }) => name === "jane")?.id ?? "");
  const login = await gatehouse(["login", gateway.web], `${link.url}\n`);
  assert.equal(login.code, 0, login.stderr);
  const place = ["orders", "--login", "postgres"];
  const ran = await gatehouse(["db", "connect", ...place, "--", "-Atc", "select 6 * 7"]);
  assert.equal(ran.stdout.toString(), "42\n", ran.stderr);
  const { session } = await lastSession();
  const uri = (await gatehouse(["db", "login", ...place])).stdout.toString().trim();
  const byUri = await psql({} as Way, "", uri, "-Atc", "select 7");
  assert.equal(byUri.stdout.toString(), "7\n", byUri.stderr);
  await lastSession();
  const played = await gatehouse(["play", "--format", "text", session.id]);
  assert.match(played.stdout.toString(), /^\S+ {2}select 6 \* 7 -> SELECT 1, [\d.]+ ms\n$/, played.stderr);
  const failed = await gatehouse(["play", "--format", "text", "--failed", session.id]);
  assert.equal(failed.stdout.toString(), "");
  const found = await gatehouse(["play", "--format", "text", "--find", "6 * 7", session.id]);
  assert.equal(found.stdout.toString(), played.stdout.toString(), found.stderr);
  const exported = async (format: string) => {
    const out = join(profiles, format);
    const ran = await gatehouse(["recordings", "export", "-f", format, "-o", out, session.id]);
    assert.equal(ran.code, 0, ran.stderr);
    return readFileSync(out, "utf8");
  };
  assert.match(
    await exported("sql"),
    /^-- jane as postgres on orders\n[^]* done, [^]*SELECT 1[^]*\nselect 6 \* 7\n;\n$/,
  );
  assert.match(
    await exported("csv"),
    /^time,number,type,state,statement[^]*,done,select 6 \* 7,,SELECT 1,1,/,
  );
  assert.equal((JSON.parse(await exported("jsonl")) as { text: string }).text, "select 6 * 7");
  assert.match(await exported("text"), /^\S+Z {2}select 6 \* 7 -> SELECT 1, [\d.]+ ms\n$/);
  rmSync(profiles, { recursive: true });
});

test("when recording cannot be guaranteed, PostgreSQL sees no connection", async () => {
  const connections = () => postgres.log().split("connection received").length;
  const way = await through();
  const store = join(gateway.dataDir, "recordings");
  renameSync(store, `${store}.away`);
  writeFileSync(store, "no directory");
  try {
    // Until the first shipment fails, the store is what it was when it was asked last; what passes is in the journal.
    const refusal = await eventually("a refusal", async () => {
      const before = connections();
      const tried = await psql(way, "select 1");
      return tried.code === 2 ? { words: tried.stderr, dialled: connections() - before } : undefined;
    });
    assert.match(refusal.words, /FATAL: .*record/);
    assert.equal(refusal.dialled, 0);
  } finally {
    rmSync(store);
    renameSync(`${store}.away`, store);
  }
});

test("a killed gateway loses no statement that PostgreSQL executed", async () => {
  await postgres.sql("create table survived (n int)");
  let doomed = await startGateway({ config: { postgres: { listen: "127.0.0.1:0" } } });
  const { dataDir } = doomed;
  const database = await addDatabase(doomed);
  const way = await through("postgres", await newcomer(doomed, "jim"), doomed, database);
  const client = new pg.Client({
    host: way.PGHOST,
    port: Number(way.PGPORT),
    user: way.PGUSER,
    password: way.PGPASSWORD,
    database: "postgres",
    ssl: { rejectUnauthorized: false },
  });
  client.on("error", () => undefined);
  await client.connect();
  const sent: Promise<unknown>[] = [];
  for (let n = 0; n < 2000; n++)
    sent.push(client.query(`insert into survived values (${n})`).catch(() => undefined));
  await sent[150];
  await doomed.kill("SIGKILL");
  const executed = (await postgres.sql("select n from survived order by n")).split("\n").map(Number);
  assert.ok(executed.length >= 150);
  doomed = await startGateway({ dataDir, config: { postgres: { listen: "127.0.0.1:0" } } });
  const { all } = await lastSession(doomed);
  const kept = new Set(all.map(({ text }) => Number(/values \((\d+)\)/.exec(text)?.[1])));
  assert.deepEqual(
    executed.filter((n) => !kept.has(n)),
    [],
  );
  await doomed.close();
  rmSync(dataDir, { recursive: true });
});

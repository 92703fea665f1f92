/**
 * The room on PostgreSQL: the tests that run on the embedded database run here once more, unchanged, and then what only a
 * database that others share can do wrong.
 */
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { isGatehouseError, seededRandom, systemClock } from "@gatehouse/kernel";
import { Kysely, sql } from "kysely";
import { type Postgres, startPostgres } from "../../../../../test/parts/postgres.ts";
import { run } from "../../../../../test/parts/openssh.ts";
import { openAuditLog } from "../../audit/mod.ts";
import { openDirectory } from "../open.ts";
import { GatehousePostgresDialect } from "./dialect.ts";

let postgres: Postgres;
before(async () => {
  postgres = await startPostgres();
});
after(() => postgres.close());

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));
/** The certificate is the server's own, made for this test; what matters of it is tested where clients are. */
const urlOf = ({ port, user, password }: Postgres, database = "postgres") =>
  `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}?sslmode=no-verify`;

async function open(context: { after(work: () => Promise<void>): void }, database: string) {
  await postgres.sql(`create database ${database}`);
  const directory = await openDirectory({
    url: urlOf(postgres, database),
    connectionsMax: 4,
    clock: systemClock,
    random: seededRandom(1),
  });
  context.after(() => directory.close());
  return directory;
}

test("what holds on the embedded database holds on PostgreSQL", async () => {
  const files = [
    "../users.test.ts",
    "../teams.test.ts",
    "../targets.test.ts",
    "../session-entries.test.ts",
    "../sign-ins.test.ts",
    "../../credentials/credentials.test.ts",
    "../../custody/alarms.test.ts",
    "../../custody/pruner.test.ts",
  ].map(here);
  const ran = await run(process.execPath, ["--test", "--test-reporter=tap", ...files], {
    // Else the runner takes the files for its own, and runs nothing.
    env: { GATEHOUSE_TEST_POSTGRES: urlOf(postgres), NODE_TEST_CONTEXT: undefined },
    timeoutMs: 240_000,
  });
  const said = ran.stdout.toString();
  assert.equal(ran.code, 0, said + ran.stderr);
  const count = (what: string) => Number(new RegExp(`^# ${what} (\\d+)$`, "m").exec(said)?.[1]);
  assert.ok(count("pass") >= 20, said);
  assert.equal(count("skipped"), 0, said);
  const schemas = await postgres.sql("select count(*) from pg_namespace where nspname like 'test_%'");
  assert.ok(Number(schemas) >= 20, "they did run there");
});

test("two gateways that write the audit log at once make one chain without a gap", async (context) => {
  const directory = await open(context, "audit");
  const writers = ["gate-1", "gate-2"].map((name) =>
    fork(here("../../../../../test/parts/audit-writer.ts"), [urlOf(postgres, "audit"), name], {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    }),
  );
  const answered = () => Promise.all(writers.map((writer) => once(writer, "message")));
  const ended = writers.map((writer) => once(writer, "exit"));
  await answered();
  // They meet in every round, however much one of them is held up.
  for (let round = 0; round < 50; round++) {
    const written = answered();
    for (const writer of writers) writer.send("write");
    await written;
  }
  for (const writer of writers) writer.send("end");
  assert.deepEqual(await Promise.all(ended), [
    [0, null],
    [0, null],
  ]);
  const audit = openAuditLog({
    rows: directory.auditRows,
    probe: () => directory.probe(),
    clock: systemClock,
    random: seededRandom(2),
    log: { error: () => undefined },
  });
  const verdict = await audit.verify();
  assert.deepEqual(verdict.faults, []);
  assert.equal(verdict.events, 400);
  const writtenBy: string[] = [];
  for await (const line of audit.exportLines()) writtenBy.push((JSON.parse(line) as { user: string }).user);
  for (const name of ["gate-1", "gate-2"])
    assert.deepEqual(
      writtenBy.filter((user) => user.startsWith(name)),
      Array.from({ length: 200 }, (_, n) => `${name} ${n}`),
      "each writer's events are all there, in its order",
    );
  const turns = writtenBy.filter((user, at) => at > 0 && user.slice(0, 6) !== writtenBy[at - 1]?.slice(0, 6));
  assert.ok(turns.length >= 50, "they took turns in every round");
});

test("two gateways that start at once on an empty database take each step once", async (context) => {
  await postgres.sql("create database starts");
  const url = urlOf(postgres, "starts");
  const both = await Promise.all(
    [1, 2].map((seed) =>
      openDirectory({ url, connectionsMax: 2, clock: systemClock, random: seededRandom(seed) }),
    ),
  );
  for (const directory of both) context.after(() => directory.close());
  const [one, other] = both;
  const jane = await one?.users.create({ name: "jane", roles: [] });
  assert.deepEqual(await other?.users.byName("jane"), jane);
});

test("a database that goes away is `unavailable`, and is used again when it is back", async (context) => {
  const directory = await open(context, "outage");
  await directory.settings.set("kept", "yes");
  await postgres.sql(
    "alter database outage with allow_connections false; select pg_terminate_backend(pid) from pg_stat_activity where datname = 'outage'",
  );
  await assert.rejects(directory.probe(), (error) => isGatehouseError(error, "unavailable"));
  await postgres.sql("alter database outage with allow_connections true");
  await directory.probe();
  assert.equal(await directory.settings.get("kept"), "yes");
});

test("a connection that breaks between two statements of a transaction fails it, and nothing else", async (context) => {
  const name = "broken";
  await postgres.sql(`create database ${name}`);
  const database = new Kysely<Record<string, never>>({
    dialect: new GatehousePostgresDialect({ url: urlOf(postgres, name), connectionsMax: 1 }),
  });
  context.after(() => database.destroy());
  const failure = await database
    .transaction()
    .execute(async (transaction) => {
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(transaction);
      await postgres.sql(`select pg_terminate_backend(${rows[0]?.pid}, 5000)`);
      // While nothing waits for it, what the server said on its way out arrives: another question takes longer.
      await postgres.sql("select 1");
      await sql`select 1`.execute(transaction);
    })
    .then(
      () => assert.fail("the transaction went through"),
      (error: unknown) => error,
    );
  assert.ok(isGatehouseError(failure, "unavailable"), String(failure));
  const { rows } = await sql<{ answer: number }>`select 42 as answer`.execute(database);
  assert.deepEqual(rows, [{ answer: 42 }]);
});

test("a database that only reads refuses the probe", async (context) => {
  const directory = await open(context, "standby");
  await postgres.sql(
    "alter database standby set default_transaction_read_only = on; select pg_terminate_backend(pid) from pg_stat_activity where datname = 'standby'",
  );
  // The first ones may still meet a connection that was cut.
  const said: string[] = [];
  for (let tries = 0; tries < 10 && !said.at(-1)?.includes("read-only"); tries++)
    await assert.rejects(directory.probe(), (error) => {
      said.push(String(error));
      return isGatehouseError(error, "unavailable");
    });
  assert.match(said.at(-1) ?? "", /read-only/, said.join("\n"));
});

test("an address that cannot be used is told without its password", async () => {
  for (const url of [
    `postgres://gate:hunter2@127.0.0.1:1/none?sslmode=no-verify`,
    `postgres://gate:hunter2@127.0.0.1:${postgres.port}/none?sslmode=no-verify`,
    "postgres://gate:hunter2@[broken/none",
  ])
    await assert.rejects(
      openDirectory({ url, connectionsMax: 1, clock: systemClock, random: seededRandom(1) }),
      (error) => {
        assert.ok(isGatehouseError(error) && ["unavailable", "invalid"].includes(error.code), String(error));
        let text = "";
        for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
          text += `${cause.message} ${JSON.stringify(cause)} ${String(cause.stack)}`;
        assert.ok(!text.includes("hunter2"), text);
        return true;
      },
    );
});

test("a commit is on disk when it is told, also where the server would tell earlier", async (context) => {
  await postgres.sql("create database hasty; alter database hasty set synchronous_commit = off");
  const url = urlOf(postgres, "hasty");
  const directory = await openDirectory({
    url,
    connectionsMax: 1,
    clock: systemClock,
    random: seededRandom(1),
  });
  context.after(() => directory.close());
  await directory.probe();
  assert.match(postgres.log(), /set_config\('synchronous_commit', 'on'/);
});

test("what others chose is kept also where PostgreSQL has no room for it as it is", async (context) => {
  const { sessions } = await open(context, "odd");
  const facts = {
    sessionId: "s1",
    startedAt: "2026-02-10T14:30:00.123Z",
    protocol: "ssh",
    kind: "exec",
    track: "exec",
    user: { id: "u1", name: "jane" },
    login: "root",
    target: { id: "t1", name: "web-01", address: "10.0.0.1:22" },
    remoteAddress: "10.0.1.50",
    connectionId: "c1",
    gatewayId: "gateway-1",
    command: "printf 'a\0b'",
  } as const;
  await sessions.insert(facts);
  await sessions.end("s1", {
    state: "closed",
    endedAtMs: 1,
    reason: "closed",
    durationMs: 1,
    exitStatus: 2 ** 32 - 1,
  });
  const entry = await sessions.byId("s1");
  assert.equal(entry?.facts.command, "printf 'a\0b'");
  assert.equal(entry?.exitStatus, 2 ** 32 - 1);
});

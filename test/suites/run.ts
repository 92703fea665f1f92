/**
 * `npm run driver-suites [name ...]`: the own tests of the drivers that people use, first past the gate and then through it.
 * Prints what passed in each and every difference; ends with 1 where one has no reason in `known-differences.ts`.
 * `SUITES_OUT=folder` keeps what each test that failed has said.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Target } from "@gatehouse/contracts/rest";
import { installParts } from "../../tools/parts.ts";
import { startGateway } from "../parts/gateway.ts";
import { startMariadb } from "../parts/mariadb.ts";
import { startPostgres } from "../parts/postgres.ts";
import { signedIn } from "../parts/signed-in.ts";
import { type Comparison, compare } from "./compare.ts";
import { knownDifferences } from "./known-differences.ts";
import { mysql2OnMariadb, mysql2OnMysql } from "./node-mysql2.ts";
import { nodePostgres, pgCursor, pgPool } from "./node-postgres.ts";
import { postgresJs } from "./postgres-js.ts";
import type { Outcome, Suite, Way } from "./suite.ts";

const suites: readonly Suite[] = [nodePostgres, pgPool, pgCursor, postgresJs, mysql2OnMariadb, mysql2OnMysql];
const asked = process.argv.slice(2);
const chosen = suites.filter(({ name }) => asked.length === 0 || asked.some((word) => name.startsWith(word)));
const needs = (server: Suite["server"]) => chosen.some((suite) => suite.server === server);

type Server = {
  port: number;
  certificate: string;
  passwords: Record<string, string>;
  close(): Promise<void>;
};

async function startServer(name: Suite["server"]): Promise<Server | undefined> {
  if (!needs(name)) return undefined;
  if (name === "postgres") {
    const server = await startPostgres(
      { wal_level: "logical", max_prepared_transactions: "100" },
      // The accounts of the driver `postgres`, as its own tests have them.
      { hba: ["hostssl all postgres_js_test all trust", "hostssl all postgres_js_test_md5 all md5"] },
    );
    const own = Object.fromEntries(
      ["postgres_js_test", "postgres_js_test_md5", "postgres_js_test_scram"].map((login) => [login, login]),
    );
    return { ...server, passwords: { postgres: server.password, ...own } };
  }
  // It looks for the archive when it is read, and that may only just have been brought.
  const { noMysql, startMysql } = await import("../parts/mysql.ts");
  if (name === "mysql" && noMysql !== false) {
    process.stderr.write(`${noMysql}\n`);
    return undefined;
  }
  const server = name === "mysql" ? await startMysql() : await startMariadb();
  // As the gate does, so that a test without TLS fails in both.
  await server.sql("create database test; set global require_secure_transport = on");
  return { ...server, passwords: { root: server.logins["root"] ?? "" } };
}

const direct = (server: Server): Way => ({
  host: "127.0.0.1",
  port: server.port,
  as: async (login) => ({ user: login, password: server.passwords[login] ?? "" }),
});

const gateway = await startGateway({
  config: {
    postgres: { listen: "127.0.0.1:0", secret_lifetime: "24h" },
    mysql: { listen: "127.0.0.1:0", secret_lifetime: "24h", mariadb: { listen: "127.0.0.1:0" } },
    recording: { journal: { capacity: "512 MiB" } },
  },
});

async function through(name: Suite["server"], server: Server): Promise<Way> {
  const { admin } = gateway;
  const created = await admin.targets.create({
    name,
    protocol: name,
    host: "127.0.0.1",
    port: server.port,
    logins: Object.keys(server.passwords),
    allowRoles: ["user"],
    permits: name === "postgres" ? { replication: true } : { localFiles: true },
  });
  for (const [login, password] of Object.entries(server.passwords))
    await admin.targets.setCredential(created.id, login, { kind: "password", password });
  const target: Target = await admin.targets.trustHostKeys(created.id, {
    kind: "pinned",
    keys: [server.certificate],
  });
  const { id } = await admin.people.create({ name: `driver-of-${name}`, roles: ["user"] });
  const person = await signedIn(gateway, id);
  const { host, port } = await person.targets.openConnection(
    target.id,
    Object.keys(server.passwords)[0] ?? "",
  );
  return { host, port, as: (login) => person.targets.openConnection(target.id, login) };
}

function keep(suite: string, way: string, outcomes: readonly Outcome[]): void {
  const out = process.env["SUITES_OUT"];
  if (out === undefined) return;
  const place = join(out, suite.replaceAll(" ", "-"), way);
  mkdirSync(place, { recursive: true });
  for (const { name, said } of outcomes.filter(({ passed }) => !passed))
    writeFileSync(join(place, `${name.replaceAll(/[^\w.-]+/g, "_").slice(0, 120)}.txt`), said);
}

function print({ suite, ...told }: Comparison): void {
  const line = (text: string) => process.stdout.write(`${text}\n`);
  const words = ({ passed, failed }: Comparison["direct"]) => `${passed} passed, ${failed} failed`;
  line(`\n== ${suite}: past the gate ${words(told.direct)}; through it ${words(told.gated)}`);
  for (const name of told.failedBoth) line(`   fails in both: ${name}`);
  for (const name of told.passedGatedOnly) line(`   passes through the gate only: ${name}`);
  for (const { name, why } of told.known) line(`   differs: ${name}\n      because ${why}`);
  for (const { test } of told.outdated) line(`   is no difference any more: ${test}`);
  for (const { name, said } of told.unexplained)
    line(
      `   DIFFERS: ${name}\n${said
        .trim()
        .split("\n")
        .slice(-25)
        .map((text) => `      | ${text}`)
        .join("\n")}`,
    );
}

await installParts();
const servers = new Map<Suite["server"], Server>();
try {
  for (const name of ["postgres", "mariadb", "mysql"] as const) {
    const server = await startServer(name);
    if (server) servers.set(name, server);
  }
  const ways = new Map<Suite["server"], Way>();
  for (const [name, server] of servers) ways.set(name, await through(name, server));
  let bad = 0;
  for (const suite of chosen) {
    const server = servers.get(suite.server);
    const gate = ways.get(suite.server);
    if (!server || !gate) continue;
    const past = await suite.run(direct(server));
    let gated = await suite.run(gate);
    let comparison = compare(suite.name, past, gated, knownDifferences);
    if (comparison.unexplained.length > 0) {
      // A deadline that a busy machine misses says nothing of a gate: what fails has two tries.
      const again = new Map((await suite.run(gate)).map((outcome) => [outcome.name, outcome]));
      const first = comparison.unexplained;
      gated = gated.map((outcome) => (outcome.passed ? outcome : (again.get(outcome.name) ?? outcome)));
      comparison = compare(suite.name, past, gated, knownDifferences);
      const left = new Set(comparison.unexplained.map(({ name }) => name));
      for (const { name } of first)
        if (!left.has(name)) process.stdout.write(`\n${suite.name}: passes at its second try: ${name}\n`);
    }
    keep(suite.name, "past", past);
    keep(suite.name, "through", gated);
    print(comparison);
    bad += comparison.unexplained.length + comparison.outdated.length;
  }
  process.exitCode = bad === 0 ? 0 : 1;
} finally {
  await gateway.close();
  await Promise.all([...servers.values()].map((server) => server.close()));
}

/** Java's drivers through the gate: what a program prints is what it prints directly, and its statements are recorded. */
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Statement } from "@gatehouse/recording";
import { type Databases, startDatabases } from "../parts/databases.ts";
import { artifactFile } from "../../tools/parts.ts";
import { runJava } from "../parts/java.ts";
import { awaitStored, recordedStatements } from "../parts/sessions.ts";

const drivers = {
  postgres: artifactFile("postgresql"),
  mariadb: artifactFile("mariadb-java-client"),
};
const without = (driver: string) => (existsSync(driver) ? false : `the driver could not be had (${driver})`);

let databases: Databases;
before(async () => {
  databases = await startDatabases();
});
after(() => databases.close());

/** Runs the same program directly and through the gate; resolves with what both printed, and what was recorded. */
async function both(options: {
  driver: string;
  protocol: "postgres" | "mariadb";
  login: string;
  name: string;
  url(place: { host: string; port: number; certificateFile: string }): string;
}): Promise<{ printed: string; recorded: Statement[] }> {
  const { driver, protocol, login, name } = options;
  const { gateway } = databases;
  const server = databases[protocol];
  const target = await databases.addTarget(protocol, { name });
  const person = await databases.person(`${name}-user`);
  const file = (kind: string, text: string) => {
    const path = join(gateway.dataDir, `${name}-${kind}.pem`);
    writeFileSync(path, text);
    return path;
  };
  const password =
    protocol === "postgres" ? databases.postgres.password : (databases.mariadb.logins["root"] ?? "");
  const direct = await runJava(
    "Statements.java",
    [driver],
    [
      options.url({
        host: "127.0.0.1",
        port: server.port,
        certificateFile: file("direct", server.certificate),
      }),
      login,
    ],
    `${password}\n`,
  );
  assert.equal(direct.code, 0, direct.stderr);
  const way = await person.targets.openConnection(target.id, login);
  const gated = await runJava(
    "Statements.java",
    [driver],
    [options.url({ ...way, certificateFile: file("gate", way.certificate) }), way.user],
    `${way.password}\n`,
  );
  assert.equal(gated.code, 0, gated.stderr);
  assert.equal(gated.stdout.toString(), direct.stdout.toString());
  const session = await awaitStored(
    gateway,
    ({ target: of, state }) => of.name === name && state === "ended",
  );
  return { printed: direct.stdout.toString(), recorded: await recordedStatements(gateway, session) };
}

/** The program's own statements, whatever the driver asks for itself. */
function checkRecorded(all: readonly Statement[]): void {
  const texts = all.map(({ text }) => text);
  for (const part of [
    "create table jdbc_orders",
    "insert into jdbc_orders values",
    "select id, name, price, at",
  ])
    assert.ok(
      texts.some((text) => text.includes(part)),
      `${part} is recorded: ${texts.join(" | ")}`,
    );
}

test(
  "PostgreSQL's driver, with batches, a cursor, savepoints and metadata",
  { skip: without(drivers.postgres) },
  async () => {
    const { printed, recorded: all } = await both({
      driver: drivers.postgres,
      protocol: "postgres",
      login: "postgres",
      name: "jdbc-postgres",
      url: ({ host, port, certificateFile }) =>
        `jdbc:postgresql://${host}:${port}/postgres?sslmode=verify-full&sslrootcert=${certificateFile}`,
    });
    assert.match(printed, /inserted 20[\s\S]*refused 23505[\s\S]*price/);
    checkRecorded(all);
  },
);

test("MariaDB's driver, text and prepared", { skip: without(drivers.mariadb) }, async () => {
  const { printed, recorded: all } = await both({
    driver: drivers.mariadb,
    protocol: "mariadb",
    login: "root",
    name: "jdbc-mariadb",
    url: ({ host, port, certificateFile }) =>
      `jdbc:mariadb://${host}:${port}/shop?sslMode=verify-full&serverSslCert=${certificateFile}&useServerPrepStmts=true`,
  });
  assert.match(printed, /inserted 20[\s\S]*refused 23000[\s\S]*price/);
  checkRecorded(all);
});

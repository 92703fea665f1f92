/** What MariaDB and its clients saw before the gateway was killed is in the recording that the next one finishes. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { type Statement, statements } from "@gatehouse/recording";
import mysql2 from "mysql2/promise";
import { startGateway } from "../parts/gateway.ts";
import { startMariadb } from "../parts/mariadb.ts";
import { awaitStored, eventually, recorded } from "../parts/sessions.ts";
import { signedIn } from "../parts/signed-in.ts";
import { killedRow } from "./killed-row.ts";

const config = { mysql: { listen: "127.0.0.1:0", mariadb: { listen: "127.0.0.1:0" } } };
/** `npm run fault` sets more. */
const rounds = Number(process.env["FAULT_ROUNDS"] ?? 2);
const clients = 4;
type Row = readonly [round: number, client: number, n: number];
const ways: readonly ((connection: mysql2.Connection, row: Row) => Promise<unknown>)[] = [
  (connection, row) => connection.query(`insert into shop.killed values (${row.join(", ")})`),
  (connection, row) => connection.execute("insert into shop.killed values (?, ?, ?)", [...row]),
  // Two in one text.
  (connection, row) => connection.query(`insert into shop.killed values (${row.join(", ")}); select 'done'`),
];

test(
  `killed ${rounds} times while statements run, the gateway has recorded all that database and clients saw`,
  { timeout: 120_000 + rounds * 60_000 },
  async () => {
    const server = await startMariadb();
    let gateway = await startGateway({ config });
    try {
      await server.sql("create table shop.killed (round int, client int, n bigint)");
      const target = await gateway.admin.targets.create({
        name: "shop",
        protocol: "mariadb",
        host: "127.0.0.1",
        port: server.port,
        logins: ["root"],
        allowRoles: ["user"],
      });
      const password = server.logins["root"] ?? "";
      await gateway.admin.targets.setCredential(target.id, "root", { kind: "password", password });
      await gateway.admin.targets.trustHostKeys(target.id, { kind: "pinned", keys: [server.certificate] });
      const { id } = await gateway.admin.people.create({ name: "jane", roles: ["user"] });
      const seen = new Set<string>();
      for (let round = 0; round < rounds; round++) {
        const way = await (await signedIn(gateway, id)).targets.openConnection(target.id, "root");
        const { host, port, user, password: secret, certificate } = way;
        const run = ways[round % ways.length] as (typeof ways)[number];
        const answered: string[] = [];
        const enough = Promise.withResolvers<void>();
        const running = Array.from({ length: clients }, async (_, client) => {
          const connection = await mysql2.createConnection({
            host,
            port,
            user,
            password: secret,
            ssl: { ca: certificate },
            multipleStatements: true,
          });
          connection.on("error", () => undefined);
          for (let n = 0; ; n++) {
            await run(connection, [round, client, n]);
            answered.push(`${client} ${n}`);
            // Some answers in the first round, many later on, and others under way.
            if (answered.length > 30 * (round % 5) + 5) enough.resolve();
          }
        });
        const ended = Promise.allSettled(running);
        await Promise.race([enough.promise, ended]);
        await gateway.kill("SIGKILL");
        await ended;
        assert.ok(answered.length > 5, `round ${round}: ${answered.length} answers`);
        await eventually("the server to know that they are gone", async () => {
          const others = "select count(*) from information_schema.processlist where host <> 'localhost'";
          return (await server.sql(others)) === "0" || undefined;
        });

        gateway = await startGateway({ dataDir: gateway.dataDir, config });
        const all: Statement[] = [];
        for (let client = 0; client < clients; client++) {
          const session = await awaitStored(gateway, (one) => !seen.has(one.id));
          seen.add(session.id);
          assert.equal(session.state, "interrupted");
          for await (const one of statements((await recorded(gateway, session)).frames)) all.push(one);
          const verified = await gateway.admin.recordings.verify(session.id);
          assert.equal(verified.ok, true, String(verified.firstFault));
        }
        const inserts = all.filter(({ text }) => text.startsWith("insert into shop.killed"));
        const asked = new Set(inserts.map(killedRow));
        const told = new Set(inserts.filter(({ results }) => results.length > 0).map(killedRow));
        const inserted = await server.sql(
          `select concat(client, ' ', n) from shop.killed where round = ${round}`,
        );
        assert.deepEqual(
          inserted.split("\n").filter((row) => !asked.has(row)),
          [],
          `round ${round}: run by the database, and not recorded`,
        );
        assert.deepEqual(
          answered.filter((row) => !told.has(row)),
          [],
          `round ${round}: answered to a client, and not recorded`,
        );
      }
    } finally {
      await gateway.close();
      await server.close();
      rmSync(gateway.dataDir, { recursive: true, force: true });
    }
  },
);

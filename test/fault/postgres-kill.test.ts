/** What PostgreSQL and pgbench saw before the gateway was killed is in the recording that the next one finishes. */
import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Statement, statements } from "@gatehouse/recording";
import { startGateway } from "../parts/gateway.ts";
import { postgresProgram, startPostgres } from "../parts/postgres.ts";
import { awaitStored, eventually, recorded } from "../parts/sessions.ts";
import { signedIn } from "../parts/signed-in.ts";
import { killedRow } from "./killed-row.ts";

const config = { postgres: { listen: "127.0.0.1:0" } };
/** `npm run fault` sets more. */
const rounds = Number(process.env["FAULT_ROUNDS"] ?? 2);
const clients = 4;
const script = [
  "\\set n random(1, 2000000000)",
  "insert into killed values (:round, :client_id, :n);",
  "select :n::bigint;",
  "",
];
const ways = [
  { mode: "simple", lines: script },
  { mode: "prepared", lines: ["\\startpipeline", ...script.slice(1, 3), "\\endpipeline", ""] },
  { mode: "extended", lines: script },
];

test(
  `killed ${rounds} times while pgbench runs, the gateway has recorded all that database and clients saw`,
  { timeout: 120_000 + rounds * 60_000 },
  async () => {
    const server = await startPostgres({ log_statement: "none" });
    let gateway = await startGateway({ config });
    try {
      await server.sql("create table killed (round int, client int, n bigint)");
      const target = await gateway.admin.targets.create({
        name: "orders",
        protocol: "postgres",
        host: "127.0.0.1",
        port: server.port,
        logins: ["postgres"],
        allowRoles: ["user"],
      });
      const password = { kind: "password", password: server.password } as const;
      await gateway.admin.targets.setCredential(target.id, "postgres", password);
      await gateway.admin.targets.trustHostKeys(target.id, { kind: "pinned", keys: [server.certificate] });
      const { id } = await gateway.admin.people.create({ name: "jane", roles: ["user"] });
      const seen = new Set<string>();
      for (let round = 0; round < rounds; round++) {
        const way = await (await signedIn(gateway, id)).targets.openConnection(target.id, "postgres");
        const { mode, lines } = ways[round % ways.length] as (typeof ways)[number];
        const file = join(gateway.dataDir, "script.sql");
        // Within a pipeline nothing may be reckoned: the number is made before it.
        const pipelined = lines[0] === "\\startpipeline";
        writeFileSync(file, [...(pipelined ? script.slice(0, 1) : []), ...lines].join("\n"));
        const running = postgresProgram(
          "pgbench",
          {
            PGHOST: way.host,
            PGPORT: String(way.port),
            PGUSER: way.user,
            PGPASSWORD: way.password,
            PGSSLMODE: "require",
            PGDATABASE: "postgres",
          },
          ..."-n -t 1000000 -j 2".split(" "),
          "-c",
          String(clients),
          "-M",
          mode,
          "-D",
          `round=${round}`,
          "-f",
          file,
        );
        const inserted = async () =>
          (await server.sql(`select client || ' ' || n from killed where round = ${round}`)).split("\n");
        // Some answers in the first round, many later on.
        await eventually("rows", async () => (await inserted()).length > 20 * (round % 5) + 4 || undefined);
        await gateway.kill("SIGKILL");
        const said = await running;
        const answered = Number(/actually processed: (\d+)/.exec(said.stdout.toString())?.[1]);
        assert.ok(answered > 0, `round ${round}: ${said.stdout.toString()}${said.stderr}`);
        await eventually("the server to know that they are gone", async () =>
          (await server.sql(
            "select count(*) from pg_stat_activity where application_name = 'gatehouse-test'",
          )) === "0"
            ? true
            : undefined,
        );

        gateway = await startGateway({ dataDir: gateway.dataDir, config });
        const all: Statement[] = [];
        // One more: pgbench looks at the server before it begins.
        for (let session = 0; session <= clients; session++) {
          const stored = await awaitStored(gateway, (one) => !seen.has(one.id));
          seen.add(stored.id);
          for await (const one of statements((await recorded(gateway, stored)).frames)) all.push(one);
          const verified = await gateway.admin.recordings.verify(stored.id);
          assert.equal(verified.ok, true, String(verified.firstFault));
        }
        const inserts = all.filter(({ text }) => text.startsWith("insert into killed"));
        const asked = new Set(inserts.map(killedRow));
        assert.deepEqual(
          (await inserted()).filter((row) => !asked.has(row)),
          [],
          `round ${round}: run by the database, and not recorded`,
        );
        const told = all.filter(({ text, results }) => /^select .*bigint/.test(text) && results.length > 0);
        assert.ok(
          told.length >= answered,
          `round ${round}: ${answered} transactions were answered, ${told.length} recorded`,
        );
      }
    } finally {
      await gateway.close();
      await server.close();
      rmSync(gateway.dataDir, { recursive: true, force: true });
    }
  },
);

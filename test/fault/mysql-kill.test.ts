/** What a database and its client saw before the gateway was killed is in the recording that the next one finishes. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { type Statement, statements } from "@gatehouse/recording";
import mysql2 from "mysql2/promise";
import { startGateway } from "../parts/gateway.ts";
import { startMariadb } from "../parts/mariadb.ts";
import { awaitStored, recorded } from "../parts/sessions.ts";
import { signedIn } from "../parts/signed-in.ts";

const config = { mysql: { listen: "127.0.0.1:0", mariadb: { listen: "127.0.0.1:0" } } };
/** Answers that a client has got when the gateway is killed, with others under way. */
const lives = [5, 150];
const clients = 4;

test("killed while statements run, the gateway has recorded all that database and clients saw", async () => {
  const server = await startMariadb();
  let gateway = await startGateway({ config });
  try {
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
    for (const [round, life] of lives.entries()) {
      const way = await (await signedIn(gateway, id)).targets.openConnection(target.id, "root");
      const { host, port, user, password: secret, certificate } = way;
      const answered: string[] = [];
      const enough = Promise.withResolvers<void>();
      const running = Array.from({ length: clients }, async (_, client) => {
        const connection = await mysql2.createConnection({
          host,
          port,
          user,
          password: secret,
          ssl: { ca: certificate },
        });
        connection.on("error", () => undefined);
        for (let n = 0; ; n++) {
          const statement = `select 'r${round} c${client} n${n}'`;
          await connection.query(statement);
          answered.push(statement);
          if (answered.length >= life) enough.resolve();
        }
      });
      const ended = Promise.allSettled(running);
      await Promise.race([enough.promise, ended]);
      await gateway.kill("SIGKILL");
      await ended;
      assert.ok(answered.length >= life, `round ${round}: ${answered.length} answers`);

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
      const asked = new Set(all.map(({ text }) => text));
      const told = new Set(all.filter(({ results }) => results.length > 0).map(({ text }) => text));
      const ran = [...server.log().matchAll(/Query\t(select 'r(\d+) c\d+ n\d+')/g)]
        .filter((match) => Number(match[2]) === round)
        .map((match) => match[1] ?? "");
      assert.ok(ran.length >= answered.length);
      assert.deepEqual(
        ran.filter((text) => !asked.has(text)),
        [],
        "run by the database, and not recorded",
      );
      assert.deepEqual(
        answered.filter((text) => !told.has(text)),
        [],
        "answered to a client, and not recorded",
      );
    }
  } finally {
    await gateway.close();
    await server.close();
    rmSync(gateway.dataDir, { recursive: true, force: true });
  }
});

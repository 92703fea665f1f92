/**
 * pgbench -S through the whole gateway against the same server directly, both with TLS, in one run: transactions a
 * second, and the median of the ratios. `ROUNDS` and `SECONDS_EACH` set how long it takes.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createClient } from "@gatehouse/contracts/client";
import { exchangeLink } from "../packages/cli/src/connection/exchange-link.ts";
import { startGateway } from "../test/parts/gateway.ts";
import { type Way, postgresProgram, startPostgres } from "../test/parts/postgres.ts";

const rounds = Number(process.env["ROUNDS"] ?? 3);
const seconds = process.env["SECONDS_EACH"] ?? "3";

const postgres = await startPostgres();
const gateway = await startGateway({
  config: { postgres: { listen: "127.0.0.1:0" }, recording: { journal: { capacity: "1 GiB" } } },
});
try {
  const { id } = await gateway.admin.targets.create({
    name: "bench",
    protocol: "postgres",
    host: "127.0.0.1",
    port: postgres.port,
    logins: [postgres.user],
    allowRoles: ["user"],
  });
  await gateway.admin.targets.setCredential(id, postgres.user, {
    kind: "password",
    password: postgres.password,
  });
  await gateway.admin.targets.trustHostKeys(id, { kind: "pinned", keys: [postgres.certificate] });
  const person = await gateway.admin.people.create({ name: "bench", roles: ["user"] });
  const link = await gateway.admin.people.signInLink(person.id);
  const { token } = await exchangeLink(gateway.web, new URL(link.url).hash.replace("#token=", ""));
  const client = createClient({ baseUrl: gateway.web, token });
  const { port, user, password, certificate } = await client.targets.openConnection(id, postgres.user);
  writeFileSync(join(gateway.dataDir, "gate.pem"), certificate);
  const direct: Way = {
    PGHOST: "127.0.0.1",
    PGPORT: String(postgres.port),
    PGUSER: postgres.user,
    PGPASSWORD: postgres.password,
    PGDATABASE: "postgres",
    PGSSLMODE: "require",
  };
  const gated: Way = { ...direct, PGPORT: String(port), PGUSER: user, PGPASSWORD: password };
  await postgresProgram("pgbench", direct, "-i", "-q", "-s", "5");
  const tps = async (way: Way, clients: string, mode: string) => {
    const ran = await postgresProgram("pgbench", way, "-n", "-S", "-T", seconds, "-c", clients, "-M", mode);
    const found = /tps = ([\d.]+) \(without/.exec(ran.stdout.toString())?.[1];
    if (found === undefined) throw new Error(ran.stderr);
    return Number(found);
  };
  for (const clients of ["1", "8", "64"])
    for (const mode of ["simple", "prepared"]) {
      const pairs: [number, number][] = [];
      for (let round = 0; round < rounds; round++)
        pairs.push([await tps(direct, clients, mode), await tps(gated, clients, mode)]);
      const median = pairs.map(([plain, through]) => through / plain).sort((a, b) => a - b)[rounds >> 1] ?? 0;
      const shown = pairs.map(([plain, through]) => `${plain.toFixed(0)}/${through.toFixed(0)}`).join(" ");
      console.log(
        `pgbench -S ${mode}, ${clients} clients: ${median.toFixed(2)} of direct (direct/gate ${shown})`,
      );
    }
} finally {
  await gateway.close();
  await postgres.close();
}

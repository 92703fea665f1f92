/**
 * Point selects (sysbench) and rows in bulk (the stock client) of MariaDB, through the whole gateway with recording on and
 * directly, with TLS on every leg, in one run and interleaved; medians, and the medians of the ratios. A second gateway keeps
 * its journal in memory: the difference is what a commit on the disk costs.
 *
 * `BENCH_ROUNDS`, `BENCH_SECONDS`, `BENCH_CLIENTS` (1,8,64), `BENCH_WAYS` (direct,gate,memory), `BENCH_BULK_MIB`,
 * `BENCH_WORK` (select,bulk).
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startGateway } from "../test/parts/gateway.ts";
import { mariadbProgram, startMariadb } from "../test/parts/mariadb.ts";
import { type Sysbench, type SysbenchWay, openSysbench, sysbenchWay } from "../test/parts/sysbench.ts";
import { type Measured, compareWays } from "./ways.ts";
import { signedIn } from "../test/parts/signed-in.ts";

const rounds = Number(process.env["BENCH_ROUNDS"] ?? 3);
const seconds = Number(process.env["BENCH_SECONDS"] ?? 3);
const clientCounts = (process.env["BENCH_CLIENTS"] ?? "1,8,64").split(",").map(Number);
const bulkMib = Number(process.env["BENCH_BULK_MIB"] ?? 256);
const wanted = (process.env["BENCH_WAYS"] ?? "direct,gate,memory").split(",");
const works = (process.env["BENCH_WORK"] ?? "select,bulk").split(",");

const sysbench = openSysbench();
const server = await startMariadb({ trustedClient: sysbench.own.certificate });
const closing: (() => unknown)[] = [() => sysbench.close(), () => server.close()];
const direct: SysbenchWay = {
  host: "127.0.0.1",
  port: server.port,
  user: "root",
  password: server.logins["root"] ?? "",
  certificate: server.certificate,
  own: sysbench.own,
};
const ways = new Map([["direct", direct]]);
/** Processes whose CPU time is counted. */
const processes = new Map<string, number>();
try {
  await server.sql("set global general_log = 0; set global max_connections = 300");
  if (wanted.includes("gate")) await openGate("gate", undefined);
  if (wanted.includes("memory")) {
    const folder = mkdtempSync("/dev/shm/gatehouse-");
    closing.push(() => rmSync(folder, { recursive: true, force: true }));
    await openGate("memory", folder);
  }
  if (works.includes("select")) await pointSelects(sysbench);
  if (works.includes("bulk")) await bulk();
} finally {
  for (const close of closing.reverse()) await close();
}

async function openGate(name: string, dataDir: string | undefined): Promise<void> {
  const opened = await startGateway({
    config: {
      mysql: { listen: "127.0.0.1:0", mariadb: { listen: "127.0.0.1:0" } },
      recording: { journal: { capacity: "1 GiB" } },
    },
    ...(dataDir !== undefined && { dataDir }),
    ...(process.env["BENCH_NODE_OPTIONS"] !== undefined && {
      env: { NODE_OPTIONS: process.env["BENCH_NODE_OPTIONS"] },
    }),
  });
  closing.push(() => opened.close());
  const { id } = await opened.admin.targets.create({
    name: "bench",
    protocol: "mariadb",
    host: "127.0.0.1",
    port: server.port,
    logins: ["root"],
    allowRoles: ["user"],
  });
  await opened.admin.targets.setCredential(id, "root", { kind: "password", password: direct.password });
  await opened.admin.targets.trustHostKeys(id, { kind: "pinned", keys: [server.certificate] });
  const person = await opened.admin.people.create({ name: "bench", roles: ["user"] });
  const client = await signedIn(opened, person.id);
  ways.set(name, await sysbenchWay(client, id, "root"));
  processes.set(name, opened.pid);
}

async function pointSelects(sysbench: Sysbench): Promise<void> {
  await sysbench.prepare(direct);
  for (const clients of clientCounts)
    for (const prepared of [false, true])
      await compare(
        `point select ${prepared ? "prepared" : "text"}, ${clients} clients`,
        "a second",
        async (way) => {
          const speed = await sysbench.pointSelects(way, { clients, seconds, prepared });
          return { speed, amount: speed * seconds };
        },
      );
}

/** Megabytes a second of rows of a hundred bytes or so. */
async function bulk(): Promise<void> {
  const folder = mkdtempSync("/dev/shm/gatehouse-bulk-");
  closing.push(() => rmSync(folder, { recursive: true, force: true }));
  const rows = bulkMib * 10_000;
  await server.sql(
    `use shop; create table bulk as select seq as i, repeat(md5(seq), 3) as t from seq_1_to_${rows}`,
  );
  await compare("rows out", "MB/s", async (way) => {
    const file = (name: string, text: string) => {
      const path = join(folder, `${way.port}-${name}`);
      writeFileSync(path, text);
      return path;
    };
    const own = [`--ssl-cert=${file("cert", way.own.certificate)}`, `--ssl-key=${file("key", way.own.key)}`];
    const startedMs = performance.now();
    const ran = await mariadbProgram(
      "mariadb",
      { ...way, certificateFile: file("ca", way.certificate) },
      // Rows as they come, one comparison each that the client has no part in.
      [...own, "--quick", "-B", "-N", "-e", "select * from bulk", "shop"],
    );
    if (ran.code !== 0) throw new Error(ran.stderr);
    const megabytes = (rows * 104) / 1e6;
    return { speed: (megabytes * 1000) / (performance.now() - startedMs), amount: megabytes };
  });
}

function compare(
  name: string,
  unit: string,
  measure: (way: SysbenchWay) => Promise<Measured>,
): Promise<void> {
  return compareWays({ name, unit, rounds, ways, processes, against: ["direct"], measure });
}

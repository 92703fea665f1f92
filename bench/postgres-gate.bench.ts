/**
 * PostgreSQL's own benchmark and copies, through the whole gateway with recording on, against the same server directly and
 * through pgbouncer (session mode), all with TLS on every leg, in one run and interleaved; medians, and the medians of the
 * ratios. A second gateway keeps its journal in memory: the difference is what a commit on the disk costs.
 *
 * `BENCH_ROUNDS`, `BENCH_SECONDS`, `BENCH_CLIENTS` (1,8,64), `BENCH_WAYS` (direct,pgbouncer,pipe,gate,memory), `BENCH_WORK`
 * (select,tpcb,copy), `BENCH_MODES` (simple,prepared), `BENCH_COPY_MIB`.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startGateway } from "../test/parts/gateway.ts";
import { hasPgbouncer, startPgbouncer } from "../test/parts/pgbouncer.ts";
import { type Way, postgresProgram, startPostgres } from "../test/parts/postgres.ts";
import { type Measured, compareWays } from "./ways.ts";
import { signedIn } from "../test/parts/signed-in.ts";

const rounds = Number(process.env["BENCH_ROUNDS"] ?? 3);
const seconds = process.env["BENCH_SECONDS"] ?? "3";
const clientCounts = (process.env["BENCH_CLIENTS"] ?? "1,8,64").split(",");
const copyMib = Number(process.env["BENCH_COPY_MIB"] ?? 512);
const wanted = (process.env["BENCH_WAYS"] ?? "direct,pgbouncer,pipe,gate,memory").split(",");
const works = (process.env["BENCH_WORK"] ?? "select,tpcb,copy").split(",");

const postgres = await startPostgres({
  log_statement: "none",
  log_connections: "off",
  // pgbouncer keeps the connections of its last clients.
  max_connections: "300",
});
const closing: (() => Promise<void>)[] = [() => postgres.close()];
const ways = new Map<string, Way>();
const direct: Way = {
  PGHOST: "127.0.0.1",
  PGPORT: String(postgres.port),
  PGUSER: postgres.user,
  PGPASSWORD: postgres.password,
  PGDATABASE: "postgres",
  PGSSLMODE: "require",
};
ways.set("direct", direct);
/** Processes whose CPU time is counted. */
const processes = new Map<string, number>();
try {
  if (wanted.includes("pgbouncer") && hasPgbouncer) {
    const pgbouncer = await startPgbouncer(postgres);
    closing.push(() => pgbouncer.close());
    ways.set("pgbouncer", { ...direct, PGPORT: String(pgbouncer.port) });
  }
  if (wanted.includes("pipe")) await openPipe();
  if (wanted.includes("gate")) await openGate("gate", undefined);
  if (wanted.includes("memory")) {
    const folder = mkdtempSync("/dev/shm/gatehouse-");
    closing.push(async () => rmSync(folder, { recursive: true, force: true }));
    await openGate("memory", folder);
  }
  await postgresProgram("pgbench", direct, "-i", "-q", "-s", "10");
  if (works.includes("select")) await benchmark("select-only", "-S");
  if (works.includes("tpcb")) await benchmark("TPC-B", "-N");
  if (works.includes("copy")) await copies();
} finally {
  for (const close of closing.reverse()) await close();
}

async function openPipe(): Promise<void> {
  const script = fileURLToPath(new URL("tls-pipe.ts", import.meta.url));
  const child = spawn(process.execPath, [script, String(postgres.port)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  closing.push(async () => void child.kill());
  const [printed] = (await once(child.stdout, "data")) as [Buffer];
  // Two certificates on one way: the password cannot be bound to the channel.
  ways.set("pipe", { ...direct, PGPORT: printed.toString().trim(), PGCHANNELBINDING: "disable" });
  processes.set("pipe", child.pid as number);
}

async function openGate(name: string, dataDir: string | undefined): Promise<void> {
  const opened = await startGateway({
    config: { postgres: { listen: "127.0.0.1:0" }, recording: { journal: { capacity: "1 GiB" } } },
    ...(dataDir !== undefined && { dataDir }),
    ...(process.env["BENCH_NODE_OPTIONS"] !== undefined && {
      env: { NODE_OPTIONS: process.env["BENCH_NODE_OPTIONS"] },
    }),
  });
  closing.push(() => opened.close());
  const { id } = await opened.admin.targets.create({
    name: "bench",
    protocol: "postgres",
    host: "127.0.0.1",
    port: postgres.port,
    logins: [postgres.user],
    allowRoles: ["user"],
  });
  await opened.admin.targets.setCredential(id, postgres.user, {
    kind: "password",
    password: postgres.password,
  });
  await opened.admin.targets.trustHostKeys(id, { kind: "pinned", keys: [postgres.certificate] });
  const person = await opened.admin.people.create({ name: "bench", roles: ["user"] });
  const client = await signedIn(opened, person.id);
  const { port, user, password, certificate } = await client.targets.openConnection(id, postgres.user);
  writeFileSync(join(opened.dataDir, "gate.pem"), certificate);
  ways.set(name, { ...direct, PGPORT: String(port), PGUSER: user, PGPASSWORD: password });
  processes.set(name, opened.pid);
}

/** Transactions a second. TPC-B leaves out the rows that all clients would wait for in turn (`-N`). */
async function benchmark(name: string, script: "-S" | "-N"): Promise<void> {
  for (const clients of clientCounts)
    for (const mode of (process.env["BENCH_MODES"] ?? "simple,prepared").split(","))
      await compare(`${name} ${mode}, ${clients} clients`, "tps", async (way) => {
        const args = ["-n", script, "-T", seconds, "-c", clients, "-M", mode];
        const ran = await postgresProgram("pgbench", way, ...args);
        const found = /tps = ([\d.]+) \(without/.exec(ran.stdout.toString())?.[1];
        if (found === undefined) throw new Error(ran.stderr);
        return { speed: Number(found), amount: Number(found) * Number(seconds) };
      });
}

/** Megabytes a second of rows of a hundred bytes or so. */
async function copies(): Promise<void> {
  const rows = copyMib * 10_000;
  await postgres.sql(
    `create unlogged table bulk as select i, repeat(md5(i::text), 3) as t from generate_series(1, ${rows}) i;
     create unlogged table filled (like bulk)`,
  );
  const out = await postgresProgram("psql", direct, "-c", "\\copy bulk to stdout");
  const bytes = out.stdout.length;
  const file = join(mkdtempSync("/dev/shm/gatehouse-bulk-"), "rows");
  closing.push(async () => rmSync(join(file, ".."), { recursive: true }));
  writeFileSync(file, out.stdout);
  const timed = async (way: Way, ...commands: string[]) => {
    const startedMs = performance.now();
    const ran = await postgresProgram("psql", way, ...commands.flatMap((command) => ["-c", command]));
    if (ran.code !== 0) throw new Error(ran.stderr);
    return { speed: bytes / 1000 / (performance.now() - startedMs), amount: bytes / 1e6 };
  };
  await compare("copy out", "MB/s", (way) => timed(way, "\\copy bulk to /dev/null"));
  await compare("copy in", "MB/s", (way) => timed(way, "truncate filled", `\\copy filled from ${file}`));
}

function compare(name: string, unit: string, measure: (way: Way) => Promise<Measured>): Promise<void> {
  return compareWays({ name, unit, rounds, ways, processes, against: ["direct", "pgbouncer"], measure });
}

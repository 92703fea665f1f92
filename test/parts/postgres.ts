/** PostgreSQL as its own process, with TLS and passwords, on a free port; a directory of its own that goes with it. */
import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { systemClock, systemRandom } from "@gatehouse/kernel";
import { makeCertificate, readCertificate } from "../../packages/gateway/src/passage/mod.ts";
import { freePort } from "./free-port.ts";
import { type Ran, run } from "./openssh.ts";

const programs = "/usr/lib/postgresql/15/bin";

export type Postgres = {
  readonly port: number;
  /**
   * The superuser, who signs in by SCRAM; `md5user` by MD5, `plainuser` by the password itself, `certuser` by the trusted
   * client's certificate, and `bothuser` by it and SCRAM.
   */
  readonly user: "postgres";
  readonly password: string;
  /** PEM. */
  readonly certificate: string;
  /** What the server logged: each statement and each connection. */
  log(): string;
  /** One statement by psql, past the gate. Throws with psql's words. */
  sql(text: string): Promise<string>;
  close(): Promise<void>;
};

/** `hba` are lines of pg_hba.conf that come before all others. */
export async function startPostgres(
  settings: Record<string, string> = {},
  options: { trustedClient?: string; hba?: readonly string[] } = {},
): Promise<Postgres> {
  const folder = mkdtempSync(join(tmpdir(), "gatehouse-postgres-"));
  chmodSync(folder, 0o755);
  const uid = Number(execFileSync("/usr/bin/id", ["-u", "postgres"], { encoding: "utf8" }));
  const gid = Number(execFileSync("/usr/bin/id", ["-g", "postgres"], { encoding: "utf8" }));
  const data = join(folder, "data");
  mkdirSync(data);
  chownSync(data, uid, gid);
  const password = "the target's own password";
  const owned = (name: string, text: string) => {
    const file = join(data, name);
    writeFileSync(file, text, { mode: 0o600 });
    chownSync(file, uid, gid);
    return file;
  };
  const passwordFile = join(folder, "password");
  writeFileSync(passwordFile, `${password}\n`);
  chmodSync(passwordFile, 0o644);
  const initial = [
    "-D",
    data,
    "-U",
    "postgres",
    "-A",
    "scram-sha-256",
    "--pwfile",
    passwordFile,
    "--no-sync",
  ];
  execFileSync(
    "/usr/sbin/runuser",
    ["-u", "postgres", "--", `${programs}/initdb`, ...initial, "-E", "UTF8"],
    {
      cwd: "/",
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  const { certificate, key } = readCertificate(
    await makeCertificate({ hosts: ["127.0.0.1", "localhost"], clock: systemClock, random: systemRandom }),
  );
  owned("server.crt", certificate);
  owned("server.key", key);
  owned(
    "pg_hba.conf",
    [
      ...(options.hba ?? []),
      "local all all trust",
      "hostssl all md5user all md5",
      "hostssl all plainuser all password",
      // Without an authority the server would not start with these.
      ...(options.trustedClient === undefined
        ? []
        : [
            "hostssl all certuser all cert map=gate",
            "hostssl all bothuser all scram-sha-256 clientcert=verify-ca",
          ]),
      "hostssl all all all scram-sha-256",
      "hostssl replication all all scram-sha-256",
      "",
    ].join("\n"),
  );
  // Certificates of the tests all name the same.
  owned("pg_ident.conf", "gate Gatehouse certuser\n");
  const { trustedClient } = options;
  const port = await freePort();
  const parameters = {
    port: String(port),
    listen_addresses: "127.0.0.1",
    unix_socket_directories: data,
    fsync: "off",
    ssl: "on",
    log_statement: "all",
    log_connections: "on",
    max_connections: "250",
    ...(trustedClient !== undefined && { ssl_ca_file: owned("clients.crt", trustedClient) }),
    ...settings,
  };
  // A file, and no pipe: what a statement did is in it when its answer is here.
  const logFile = owned("server.log", "");
  const logFd = openSync(logFile, "a");
  const child = spawn(
    "/usr/sbin/runuser",
    [
      "-u",
      "postgres",
      "--",
      `${programs}/postgres`,
      "-D",
      data,
      ...Object.entries(parameters).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
    ],
    { cwd: "/", stdio: ["ignore", "ignore", logFd] },
  );
  closeSync(logFd);
  const log = () => readFileSync(logFile, "utf8");
  let hasExited = false;
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  void exited.then(() => (hasExited = true));
  while (!log().includes("ready to accept connections")) {
    if (hasExited) throw new Error(`PostgreSQL ended at its start:\n${log()}`);
    await pause(20);
  }
  const sql = async (text: string) => {
    const ran = await run(
      "/usr/lib/postgresql/15/bin/psql",
      ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"],
      {
        input: text,
        env: {
          PGHOST: "127.0.0.1",
          PGPORT: String(port),
          PGUSER: "postgres",
          PGPASSWORD: password,
          PGSSLMODE: "require",
        },
      },
    );
    if (ran.code !== 0) throw new Error(ran.stderr);
    return ran.stdout.toString().trim();
  };
  await sql(
    `create role plainuser login password 'plain'; create role certuser login; create role bothuser login password 'both'; set password_encryption = 'md5'; create role md5user login password 'md5'`,
  );
  return {
    port,
    user: "postgres",
    password,
    certificate,
    log,
    sql,
    async close() {
      process.kill(Number(readFileSync(join(data, "postmaster.pid"), "utf8").split("\n")[0]), "SIGQUIT");
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What libpq's clients read: the way through the gate, or past it. */
export type Way = {
  PGHOST: string;
  PGPORT: string;
  PGUSER: string;
  PGPASSWORD: string;
  [name: string]: string;
};

export function psql(way: Way, text: string, ...args: string[]): Promise<Ran> {
  return run(`${programs}/psql`, ["-X", "-A", ...args], { input: text, env: { ...quiet, ...way } });
}
export function postgresProgram(
  name: "pgbench" | "pg_basebackup" | "pg_dump" | "pg_restore" | "pg_verifybackup" | "psql",
  way: Way,
  ...args: string[]
): Promise<Ran> {
  return run(`${programs}/${name}`, args, { env: { ...quiet, ...way }, timeoutMs: 120_000 });
}
const quiet = { PGCONNECT_TIMEOUT: "20", PGAPPNAME: "gatehouse-test", PGTZ: "UTC" };

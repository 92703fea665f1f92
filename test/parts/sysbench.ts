/** Debian's sysbench before MariaDB: it shows a certificate, whether it is asked or not. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client } from "@gatehouse/contracts/client";
import { certifyKey } from "./databases.ts";
import type { Way } from "./mariadb.ts";
import { run } from "./openssh.ts";

/** `own` is what it shows, PEM: whoever it connects to must trust it. */
export type SysbenchWay = Omit<Way, "certificateFile"> & {
  certificate: string;
  own: { certificate: string; key: string };
};

export type Sysbench = {
  /** One that a server can be told to trust. */
  readonly own: SysbenchWay["own"];
  /** What it printed; throws with that where it fails. */
  run(way: SysbenchWay, script: string, ...args: string[]): Promise<string>;
  /** Point selects a second, on the table of ten thousand rows that `prepare` made. */
  prepare(way: SysbenchWay): Promise<void>;
  pointSelects(way: SysbenchWay, load: Load): Promise<number>;
  close(): void;
};
type Load = { clients: number; seconds: number; prepared: boolean };

/** Through the gate with a certificate of this person's: the gate takes no other. */
export async function sysbenchWay(person: Client, targetId: string, login: string): Promise<SysbenchWay> {
  const { entrance, certificate, privateKey } = await certifyKey(person, targetId, login);
  const key = privateKey.export({ type: "pkcs8", format: "pem" });
  return { ...entrance, password: "", own: { certificate, key } };
}

export function openSysbench(): Sysbench {
  const folder = mkdtempSync(join(tmpdir(), "gatehouse-sysbench-"));
  const words =
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=client -keyout -";
  const both = execFileSync("/usr/bin/openssl", words.split(" "), {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const sysbench = async (way: SysbenchWay, script: string, ...args: string[]) => {
    // It takes the files of TLS from the directory that it runs in, under these names, and wants all three.
    const place = join(folder, String(way.port));
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, "cacert.pem"), way.certificate);
    writeFileSync(join(place, "client-cert.pem"), way.own.certificate);
    writeFileSync(join(place, "client-key.pem"), way.own.key);
    const ran = await run(
      "/usr/bin/env",
      [
        `--chdir=${place}`,
        "/usr/bin/sysbench",
        script,
        "--db-driver=mysql",
        `--mysql-host=${way.host}`,
        `--mysql-port=${way.port}`,
        `--mysql-user=${way.user}`,
        `--mysql-password=${way.password}`,
        "--mysql-db=shop",
        "--mysql-ssl=on",
        "--tables=1",
        ...args,
      ],
      { timeoutMs: 120_000 },
    );
    if (ran.code !== 0) throw new Error(ran.stdout.toString() + ran.stderr);
    return ran.stdout.toString();
  };
  const select = (way: SysbenchWay, ...args: string[]) =>
    sysbench(way, "oltp_point_select", "--table-size=10000", ...args);
  return {
    // It reads the certificate out of a file that has both.
    own: { certificate: both, key: both },
    run: sysbench,
    prepare: async (way) => void (await select(way, "prepare")),
    async pointSelects(way, { clients, seconds, prepared }) {
      const mode = `--db-ps-mode=${prepared ? "auto" : "disable"}`;
      const said = await select(way, `--threads=${clients}`, `--time=${seconds}`, mode, "run");
      const found = /queries:\s+\d+\s+\(([\d.]+) per sec/.exec(said)?.[1];
      if (found === undefined) throw new Error(said);
      return Number(found);
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

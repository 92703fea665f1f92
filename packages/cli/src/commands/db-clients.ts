import { execFile } from "node:child_process";
import type { Entrance } from "@gatehouse/contracts/rest";
import { GatehouseError } from "@gatehouse/kernel";

/** A way through the gate. Clients take certificates from files only. */
export type Way = {
  entrance: Entrance;
  /** What the client trusts the gate by. */
  gateFile: string;
  /** What the person comes with. */
  proof: { password: string } | { certificateFile: string; keyFile: string };
  login: string;
  /** Undefined where nobody said which. */
  database: string | undefined;
};

/** A program to run. `options` is what it reads from the file descriptor 3, where it takes secrets so. */
export type ClientRun = {
  program: string;
  args: readonly string[];
  env: Record<string, string>;
  options?: string;
};

/** What the stock clients of one protocol want to be told. */
export type DatabaseClient = {
  /** For people, where none of the programs is there. */
  readonly missing: string;
  uri(way: Way): string;
  /** Undefined for clients that read no file of options. */
  optionsFile?(way: Way): string;
  run(way: Way, words: readonly string[]): Promise<ClientRun>;
};

const part = encodeURIComponent;

export function clientOf(protocol: string): DatabaseClient {
  switch (protocol) {
    case "postgres":
      return postgres;
    case "mysql":
    case "mariadb":
      return mysql;
    default:
      throw new GatehouseError({
        code: "invalid",
        op: "cli.db",
        message: `${protocol} is no protocol of databases that this version knows`,
      });
  }
}

const postgres: DatabaseClient = {
  missing: "psql cannot be run here: install PostgreSQL's client",
  uri({ entrance, gateFile, proof, database, login }) {
    const files = "password" in proof ? {} : { sslcert: proof.certificateFile, sslkey: proof.keyFile };
    const place = `${account(entrance, proof)}@${hostPort(entrance)}/${part(database ?? login)}`;
    return `postgresql://${place}?${query({ sslmode: "verify-full", sslrootcert: gateFile, ...files })}`;
  },
  run({ entrance, gateFile, proof, database, login }, words) {
    // The secret goes by the environment: the command line is everybody's to read.
    return Promise.resolve({
      program: "psql",
      args: words,
      env: {
        PGHOST: entrance.host,
        PGPORT: String(entrance.port),
        PGUSER: entrance.user,
        PGDATABASE: database ?? login,
        PGSSLMODE: "verify-full",
        PGSSLROOTCERT: gateFile,
        ...("password" in proof
          ? // Not the certificate for another server that may lie in ~/.postgresql.
            { PGPASSWORD: proof.password, PGSSLCERTMODE: "disable" }
          : { PGSSLCERT: proof.certificateFile, PGSSLKEY: proof.keyFile }),
      },
    });
  },
};

const mysql: DatabaseClient = {
  missing: "neither mysql nor mariadb can be run here: install one of them",
  uri({ entrance, gateFile, proof, database }) {
    const files = "password" in proof ? {} : { "ssl-cert": proof.certificateFile, "ssl-key": proof.keyFile };
    const place = `${account(entrance, proof)}@${hostPort(entrance)}/${part(database ?? "")}`;
    return `${entrance.protocol}://${place}?${query({ "ssl-mode": "VERIFY_IDENTITY", "ssl-ca": gateFile, ...files })}`;
  },
  optionsFile: (way) => options(way, way.entrance.protocol === "mariadb"),
  async run(way, words) {
    const names =
      way.entrance.protocol === "mariadb" ? (["mariadb", "mysql"] as const) : (["mysql", "mariadb"] as const);
    for (const program of names) {
      const version = await versionOf(program);
      if (version === undefined) continue;
      return {
        program,
        // Nothing of the user's own option files: a password there would go before this one.
        args: ["--defaults-file=/dev/fd/3", ...words],
        env: {},
        options: options(way, /mariadb/i.test(version)),
      };
    }
    throw new GatehouseError({ code: "unavailable", op: "cli.db.connect", message: this.missing });
  },
};

/** The two families ask for a server's name to be verified in different words, and refuse each other's. */
function options({ entrance, gateFile, proof, database }: Way, mariadb: boolean): string {
  const { host, port, user } = entrance;
  return [
    "[client]",
    `host=${host}`,
    `port=${port}`,
    `user=${user}`,
    ...("password" in proof
      ? [`password=${proof.password}`]
      : [`ssl-cert=${proof.certificateFile}`, `ssl-key=${proof.keyFile}`]),
    `ssl-ca=${gateFile}`,
    mariadb ? "ssl-verify-server-cert" : "ssl-mode=VERIFY_IDENTITY",
    ...(database === undefined ? [] : ["[mysql]", `database=${database}`]),
    "",
  ].join("\n");
}

function versionOf(program: string): Promise<string | undefined> {
  return new Promise((resolve) =>
    execFile(program, ["--version"], (error, stdout) => resolve(error ? undefined : stdout)),
  );
}

/** The part of a URI before its host. */
function account({ user }: Entrance, proof: Way["proof"]): string {
  return "password" in proof ? `${part(user)}:${part(proof.password)}` : part(user);
}

function query(parameters: Record<string, string>): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${name}=${part(value)}`)
    .join("&");
}

function hostPort({ host, port }: Entrance): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

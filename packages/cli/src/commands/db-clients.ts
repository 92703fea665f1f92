import { execFile } from "node:child_process";
import type { Connection } from "@gatehouse/contracts/rest";
import { GatehouseError } from "@gatehouse/kernel";

/** A way through the gate, with the file that holds its certificate: clients take it from a file only. */
export type Way = {
  connection: Connection;
  certificateFile: string;
  login: string;
  /** Undefined where nobody said which. */
  database: string | undefined;
};

/** A program to run. `options` is what it reads from its third file descriptor, where it takes secrets so. */
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
  uri({ connection, certificateFile, database, login }) {
    const { user, password } = connection;
    return `postgresql://${part(user)}:${part(password)}@${hostPort(connection)}/${part(database ?? login)}?sslmode=verify-full&sslrootcert=${part(certificateFile)}`;
  },
  run({ connection, certificateFile, database, login }, words) {
    // The secret goes by the environment: the command line is everybody's to read.
    return Promise.resolve({
      program: "psql",
      args: words,
      env: {
        PGHOST: connection.host,
        PGPORT: String(connection.port),
        PGUSER: connection.user,
        PGPASSWORD: connection.password,
        PGDATABASE: database ?? login,
        PGSSLMODE: "verify-full",
        PGSSLROOTCERT: certificateFile,
      },
    });
  },
};

const mysql: DatabaseClient = {
  missing: "neither mysql nor mariadb can be run here: install one of them",
  uri({ connection, certificateFile, database }) {
    const { protocol, user, password } = connection;
    return `${protocol}://${part(user)}:${part(password)}@${hostPort(connection)}/${part(database ?? "")}?ssl-mode=VERIFY_IDENTITY&ssl-ca=${part(certificateFile)}`;
  },
  optionsFile: (way) => options(way, way.connection.protocol === "mariadb"),
  async run(way, words) {
    const names =
      way.connection.protocol === "mariadb"
        ? (["mariadb", "mysql"] as const)
        : (["mysql", "mariadb"] as const);
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
function options({ connection, certificateFile, database }: Way, mariadb: boolean): string {
  const { host, port, user, password } = connection;
  return [
    "[client]",
    `host=${host}`,
    `port=${port}`,
    `user=${user}`,
    `password=${password}`,
    `ssl-ca=${certificateFile}`,
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

function hostPort({ host, port }: Connection): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** A gateway before a PostgreSQL and a MariaDB, and people who go through it. */
import { type KeyObject, generateKeyPairSync } from "node:crypto";
import type { Client } from "@gatehouse/contracts/client";
import type { DatabaseCertificateMade, Person, Target, TargetCreate } from "@gatehouse/contracts/rest";
import mysql2 from "mysql2/promise";
import pg from "pg";
import { type Gateway, startGateway } from "./gateway.ts";
import { type MysqlServer, serverEnding, startMariadb } from "./mariadb.ts";
import { type Postgres, startPostgres } from "./postgres.ts";
import { signedIn } from "./signed-in.ts";

export type Databases = {
  readonly gateway: Gateway;
  readonly postgres: Postgres;
  readonly mariadb: MysqlServer;
  /** Named `postgres` and `mariadb` unless the change says otherwise; entered as `postgres` and `root`. */
  addTarget(protocol: "postgres" | "mariadb", change?: Partial<TargetCreate>): Promise<Target>;
  person(name: string, roles?: Person["roles"]): Promise<Client & { id: string }>;
  close(): Promise<void>;
};

export async function startDatabases(config: Record<string, unknown> = {}): Promise<Databases> {
  const [postgres, mariadb] = await Promise.all([startPostgres(), startMariadb()]);
  const gateway = await startGateway({
    config: {
      postgres: { listen: "127.0.0.1:0" },
      mysql: { listen: "127.0.0.1:0", mariadb: { listen: "127.0.0.1:0" } },
      ...config,
    },
  });
  const { admin } = gateway;
  return {
    gateway,
    postgres,
    mariadb,
    async addTarget(protocol, change = {}) {
      const server = protocol === "postgres" ? postgres : mariadb;
      const login = change.logins?.[0] ?? (protocol === "postgres" ? "postgres" : "root");
      const password = protocol === "postgres" ? postgres.password : (mariadb.logins[login] ?? "");
      const { id } = await admin.targets.create({
        name: protocol,
        protocol,
        host: "127.0.0.1",
        port: server.port,
        logins: [login],
        allowRoles: ["user"],
        ...change,
      });
      await admin.targets.setCredential(id, login, { kind: "password", password });
      return admin.targets.trustHostKeys(id, { kind: "pinned", keys: [server.certificate] });
    },
    async person(name, roles = ["user"]) {
      const { id } = await admin.people.create({ name, roles });
      return { ...(await signedIn(gateway, id)), id };
    },
    async close() {
      await gateway.close();
      await Promise.all([postgres.close(), mariadb.close()]);
    },
  };
}

/** A fresh key of this person's that the gate has certified for a login of a target. */
export async function certifyKey(
  { certificates }: Pick<Client, "certificates">,
  targetId: string,
  login: string,
  options: { everyTarget?: boolean } = {},
): Promise<DatabaseCertificateMade & { privateKey: KeyObject }> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const ask = { publicKey: publicKey.export({ type: "spki", format: "pem" }), ...options };
  return { ...(await certificates.createForDatabase(targetId, login, ask)), privateKey };
}

/** Through the gate with a fresh secret, its certificate verified. */
export async function openPostgres(person: Client, target: Target): Promise<pg.Client> {
  const way = await person.targets.openConnection(target.id, "postgres");
  const { host, port, user, password } = way;
  const client = new pg.Client({
    host,
    port,
    user,
    password,
    database: "postgres",
    ssl: { ca: way.certificate },
  });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}
/** Stops what the client runs, as the driver does it: on another connection, by the key that the gate gave. */
export function cancel(client: pg.Client): void {
  const inside = client as unknown as { activeQuery?: unknown; _activeQuery?: unknown };
  const canceller = new pg.Client({
    host: client.host,
    port: client.port,
    ssl: { rejectUnauthorized: false },
  });
  (canceller as unknown as { cancel(client: unknown, query: unknown): void }).cancel(
    client,
    inside._activeQuery ?? inside.activeQuery,
  );
}
/** As the target's first login. Says what became of the server where it has ended. */
export async function openMariadb(person: Client, target: Target): Promise<mysql2.Connection> {
  const way = await person.targets.openConnection(target.id, target.logins[0]?.name ?? "");
  const { host, port, user, password } = way;
  const options = { host, port, user, password, ssl: { ca: way.certificate }, multipleStatements: true };
  return mysql2.createConnection(options).catch((error: unknown) => {
    const ending = serverEnding(target.port);
    throw ending === undefined ? error : new Error(ending, { cause: error });
  });
}

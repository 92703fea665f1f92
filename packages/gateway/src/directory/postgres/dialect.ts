import { GatehouseError } from "@gatehouse/kernel";
import { type Driver, PostgresDialect } from "kysely";
import pg from "pg";
import { GuardedDriver } from "./driver.ts";

export type PostgresPlace = {
  /** `postgres://user@host:5432/database?sslmode=verify-full`, as libpq's. */
  url: string;
  connectionsMax: number;
};

/** A statement that takes longer is given up: whoever waits for it fails closed rather than for ever. */
const statementMs = 15_000;
const connectMs = 5_000;

const int8 = 20;

/** Kysely over a pool of connections: Kysely's words and types, our failures. */
export class GatehousePostgresDialect extends PostgresDialect {
  constructor(place: PostgresPlace) {
    super({ pool: openPool(place) });
  }
  override createDriver(): Driver {
    return new GuardedDriver(super.createDriver());
  }
}

function openPool({ url, connectionsMax }: PostgresPlace): pg.Pool {
  let pool: pg.Pool;
  try {
    pool = new pg.Pool({
      connectionString: url,
      application_name: "gatehouse",
      max: connectionsMax,
      connectionTimeoutMillis: connectMs,
      statement_timeout: statementMs,
      lock_timeout: connectMs,
      // The client's own watch: a server that vanished answers no time limit of its own.
      query_timeout: statementMs + 1000,
      idle_in_transaction_session_timeout: statementMs,
      keepAlive: true,
      types: {
        // Moments and counts fit into a double, which has room for 2^53.
        getTypeParser: ((oid: number, format?: "text" | "binary") =>
          oid === int8 ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
      },
      // A commit is told when it is on disk, whatever the server's own setting; one that waits for a standby keeps it.
      // oxlint-disable-next-line typescript/no-misused-promises -- the pool does wait for it, and gives the connection up when it fails
      onConnect: async (client) => {
        await client.query(
          "select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') in ('off', 'local')",
        );
      },
    });
  } catch {
    // The address may hold a password, and what was thrown may hold the address: neither is told.
    throw new GatehouseError({
      code: "invalid",
      op: "directory.open",
      message: "database.url is no address of a PostgreSQL database",
      hint: "Write postgres://user@host:5432/database?sslmode=verify-full.",
    });
  }
  // A connection that breaks while nobody uses it is replaced; whoever asks next hears of a database that is gone.
  pool.on("error", () => undefined);
  // One that breaks while it is lent, between two statements, tells only itself, and an error that nobody hears ends the process.
  // The next statement on it fails.
  pool.on("connect", (client) => void client.on("error", () => undefined));
  return pool;
}

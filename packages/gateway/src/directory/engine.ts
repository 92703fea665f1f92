import { type Dialect, type Transaction, sql } from "kysely";
import { GatehousePostgresDialect, type PostgresPlace } from "./postgres/dialect.ts";
import type { Tables } from "./schema.ts";
import { NodeSqliteDialect } from "./sqlite/dialect.ts";
import { fileWatch } from "./sqlite/file-watch.ts";
import { openSqlite } from "./sqlite/thread.ts";

/** What differs between the databases; every statement elsewhere is the same on both. */
export type Engine = {
  readonly name: "sqlite" | "postgres";
  readonly dialect: Dialect;
  /** Until the transaction ends, no other one that asks for the same goes on past this, in any gateway. */
  alone(transaction: Transaction<Tables>, what: keyof typeof locks): Promise<void>;
  /** Throws `unavailable` when what is written would be lost. */
  check(): void;
};

/** Keys of PostgreSQL's advisory locks: "GATE" in their upper half, so that they are nobody else's. */
const locks = { migrations: 0x47415445_00000001n, reviews: 0x47415445_00000003n } as const;

export async function sqliteEngine({
  path,
  lockWaitMs,
}: {
  path: string;
  lockWaitMs: number;
}): Promise<Engine> {
  const dialect = new NodeSqliteDialect({ thread: await openSqlite(path), lockWaitMs });
  const file = fileWatch(path);
  return {
    name: "sqlite",
    dialect,
    // A transaction takes the one lock to write as it begins.
    alone: () => Promise.resolve(),
    check: () => file.check(),
  };
}

export function postgresEngine(place: PostgresPlace): Engine {
  return {
    name: "postgres",
    dialect: new GatehousePostgresDialect(place),
    async alone(transaction, what) {
      await sql`select pg_advisory_xact_lock(${locks[what]})`.execute(transaction);
    },
    check: () => undefined,
  };
}

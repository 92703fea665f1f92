import {
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  type Kysely,
  type QueryCompiler,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import { NodeSqliteDriver } from "./driver.ts";
import type { SqliteThread } from "./thread.ts";

/** Kysely over Node's own SQLite: Kysely's words and types, our connections, locks and failures. */
export class NodeSqliteDialect implements Dialect {
  readonly #thread: SqliteThread;
  readonly #lockWaitMs: number;

  /** `lockWaitMs`: how long a write waits for another program's lock before it fails with `unavailable`. */
  constructor(options: { thread: SqliteThread; lockWaitMs: number }) {
    this.#thread = options.thread;
    this.#lockWaitMs = options.lockWaitMs;
  }
  createDriver(): Driver {
    return new NodeSqliteDriver({ thread: this.#thread, lockWaitMs: this.#lockWaitMs });
  }
  createQueryCompiler(): QueryCompiler {
    return new SqliteQueryCompiler();
  }
  createAdapter(): DialectAdapter {
    return new SqliteAdapter();
  }
  createIntrospector(database: Kysely<unknown>): DatabaseIntrospector {
    return new SqliteIntrospector(database);
  }
}

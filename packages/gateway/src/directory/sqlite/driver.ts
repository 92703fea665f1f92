import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { GatehouseError, assert } from "@gatehouse/kernel";
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  type QueryResult,
  SelectQueryNode,
} from "kysely";
import { databaseFailure, isBusy } from "./failures.ts";
import type { SqliteHandles } from "./open.ts";

const retryDelayMs = 10;
/** Prepared statements kept per connection; the gateway has some sixty of them. */
const statementsMax = 256;

type Prepared = { statement: StatementSync; hasRows: boolean };

/**
 * One writer at a time, readers at any time. SQLite runs on the calling thread, so a promise is fulfilled with what is
 * already committed; only the waits, for the turn to write and for another program's lock, are asynchronous.
 */
export class NodeSqliteDriver implements Driver {
  readonly #handles: SqliteHandles;
  readonly #lockWaitMs: number;
  readonly #turns = new WriteTurns();
  readonly #statements = new Map<DatabaseSync, Map<string, Prepared>>();

  constructor({ handles, lockWaitMs }: { handles: SqliteHandles; lockWaitMs: number }) {
    this.#handles = handles;
    this.#lockWaitMs = lockWaitMs;
  }

  async init(): Promise<void> {}
  async acquireConnection(): Promise<DatabaseConnection> {
    return new SqliteConnection(this);
  }
  async releaseConnection(): Promise<void> {}

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    const own = connection as SqliteConnection;
    const done = await this.#turns.take();
    try {
      // Immediate: a deferred transaction could be refused its lock after it has read, and would have read too early.
      await this.#whenFree(() => this.run("begin immediate", []));
      own.finishTransaction = done;
    } catch (error) {
      done();
      throw error;
    }
  }
  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    this.#finish(connection as SqliteConnection, "commit");
  }
  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    this.#finish(connection as SqliteConnection, "rollback");
  }
  #finish(connection: SqliteConnection, how: "commit" | "rollback"): void {
    const { finishTransaction } = connection;
    // A failed commit was rolled back here; Kysely rolls back once more.
    if (!finishTransaction) return;
    try {
      if (how === "commit" || this.#handles.writer.isTransaction) this.run(how, []);
    } catch (error) {
      // The turn must not be given away with a transaction open under it.
      if (this.#handles.writer.isOpen && this.#handles.writer.isTransaction) this.run("rollback", []);
      throw error;
    } finally {
      connection.finishTransaction = undefined;
      finishTransaction();
    }
  }

  async destroy(): Promise<void> {
    const done = await this.#turns.take();
    this.#statements.clear();
    for (const handle of [this.#handles.reader, this.#handles.writer]) if (handle.isOpen) handle.close();
    done();
  }

  /** A write outside a transaction: waits for its turn, then for the lock. */
  async write(sql: string, parameters: readonly unknown[]): Promise<QueryResult<unknown>> {
    const done = await this.#turns.take();
    try {
      return await this.#whenFree(() => this.run(sql, parameters));
    } finally {
      done();
    }
  }
  /** Any statement on the writing connection, now. */
  run(sql: string, parameters: readonly unknown[]): QueryResult<unknown> {
    return this.#execute(this.#handles.writer, sql, parameters);
  }
  read(sql: string, parameters: readonly unknown[]): QueryResult<unknown> {
    return this.#execute(this.#handles.reader, sql, parameters);
  }

  #execute(handle: DatabaseSync, sql: string, parameters: readonly unknown[]): QueryResult<unknown> {
    const values = parameters.map((value, at) => bindable(value, at, sql));
    try {
      const { statement, hasRows } = this.#prepared(handle, sql);
      if (hasRows) return { rows: statement.all(...values) };
      const { changes, lastInsertRowid } = statement.run(...values);
      return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
    } catch (error) {
      if (isBusy(error)) throw error;
      throw databaseFailure("directory.query", error);
    }
  }
  #prepared(handle: DatabaseSync, sql: string): Prepared {
    let known = this.#statements.get(handle);
    if (!known) this.#statements.set(handle, (known = new Map()));
    let prepared = known.get(sql);
    if (!prepared) {
      const statement = handle.prepare(sql);
      prepared = { statement, hasRows: statement.columns().length > 0 };
      if (known.size >= statementsMax) known.clear();
      known.set(sql, prepared);
    }
    return prepared;
  }

  async #whenFree<T>(attempt: () => T): Promise<T> {
    const deadline = performance.now() + this.#lockWaitMs;
    for (;;) {
      try {
        return attempt();
      } catch (error) {
        if (!isBusy(error) || performance.now() >= deadline) throw databaseFailure("directory.lock", error);
      }
      await pause(retryDelayMs);
    }
  }
}

class SqliteConnection implements DatabaseConnection {
  readonly #driver: NodeSqliteDriver;
  /** Set while a transaction is open on this connection; gives the turn to write back. */
  finishTransaction: (() => void) | undefined;

  constructor(driver: NodeSqliteDriver) {
    this.#driver = driver;
  }
  async executeQuery<R>({ sql, parameters, query }: CompiledQuery): Promise<QueryResult<R>> {
    let result: QueryResult<unknown>;
    if (this.finishTransaction) result = this.#driver.run(sql, parameters);
    else if (SelectQueryNode.is(query)) result = this.#driver.read(sql, parameters);
    else result = await this.#driver.write(sql, parameters);
    return result as QueryResult<R>;
  }
  // oxlint-disable-next-line require-yield -- the interface asks for a generator
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    // An open cursor would keep old pages in the log for as long as its reader likes; lists are read in pages instead.
    throw new GatehouseError({
      code: "internal",
      op: "directory.stream",
      message: "streams are not offered",
    });
  }
}

/** Who may write, one after the other in the order they came. */
class WriteTurns {
  #last: Promise<void> = Promise.resolve();

  async take(): Promise<() => void> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    await before;
    return resolve;
  }
}

/** Only what comes back as it was given: a boolean or a date would be stored as something else, or not at all. */
function bindable(value: unknown, at: number, sql: string): SQLInputValue {
  if (value === null || typeof value === "bigint" || value instanceof Uint8Array) return value;
  if (typeof value === "string") {
    assert(value.isWellFormed(), `parameter ${at} of \`${sql}\` is not well-formed Unicode`);
    return value;
  }
  if (typeof value === "number") {
    assert(!Number.isNaN(value), `parameter ${at} of \`${sql}\` is not a number`);
    return value;
  }
  throw new GatehouseError({
    code: "internal",
    op: "directory.bind",
    message: `parameter ${at} of \`${sql}\` is a ${typeof value}, which SQLite cannot hold`,
  });
}

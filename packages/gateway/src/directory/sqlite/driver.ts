import type { SQLInputValue } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { GatehouseError, assert } from "@gatehouse/kernel";
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  type QueryResult,
  SelectQueryNode,
} from "kysely";
import type { Outcome, Rows, Statement } from "./statements.ts";
import { type Ask, type SqliteThread, errorOf } from "./thread.ts";

const retryDelayMs = 10;
const groupMax = 256;

type LoneWrite = { statement: Statement; settle: (outcome: Outcome) => void; fail: (error: unknown) => void };

/**
 * One writer at a time, readers at any time. Writes outside a transaction that wait for their turn share one commit, for
 * what a commit costs is the wait for the disk.
 */
export class NodeSqliteDriver implements Driver {
  readonly #thread: SqliteThread;
  readonly #lockWaitMs: number;
  readonly #turns = new WriteTurns();
  /** Those that the next turn of lone writes takes along. */
  #gathering: LoneWrite[] | undefined;

  constructor({ thread, lockWaitMs }: { thread: SqliteThread; lockWaitMs: number }) {
    this.#thread = thread;
    this.#lockWaitMs = lockWaitMs;
  }

  async init(): Promise<void> {}
  async acquireConnection(): Promise<DatabaseConnection> {
    return new SqliteConnection(this);
  }
  async releaseConnection(): Promise<void> {}

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    const done = await this.#turns.take();
    try {
      await this.#whenFree({ kind: "begin" });
      (connection as SqliteConnection).finishTransaction = done;
    } catch (error) {
      done();
      throw error;
    }
  }
  commitTransaction(connection: DatabaseConnection): Promise<void> {
    return this.#finish(connection as SqliteConnection, "commit");
  }
  rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    return this.#finish(connection as SqliteConnection, "rollback");
  }
  async #finish(connection: SqliteConnection, kind: "commit" | "rollback"): Promise<void> {
    const { finishTransaction } = connection;
    // A failed commit was rolled back by the thread; Kysely rolls back once more.
    if (!finishTransaction) return;
    connection.finishTransaction = undefined;
    try {
      await this.ask({ kind });
    } finally {
      finishTransaction();
    }
  }

  async destroy(): Promise<void> {
    const done = await this.#turns.take();
    await this.#thread.close();
    done();
  }

  /** A write outside a transaction: waits for its turn, then for the lock. */
  async write(statement: Statement): Promise<Rows> {
    const outcome = await new Promise<Outcome>((settle, fail) => {
      if (this.#gathering && this.#gathering.length < groupMax)
        return void this.#gathering.push({ statement, settle, fail });
      const group = (this.#gathering = [{ statement, settle, fail }]);
      void this.#writeInTurn(group);
    });
    return rowsOf(outcome);
  }
  async #writeInTurn(group: LoneWrite[]): Promise<void> {
    const done = await this.#turns.take();
    if (this.#gathering === group) this.#gathering = undefined;
    try {
      const statements = group.map(({ statement }) => statement);
      const outcomes = await this.#whenFree({ kind: "group", statements });
      for (const [at, { settle }] of group.entries()) settle(outcomes[at] as Outcome);
    } catch (error) {
      for (const { fail } of group) fail(error);
    } finally {
      done();
    }
  }

  /** Now, in the transaction that is open where one is. */
  async ask(ask: Ask): Promise<Rows> {
    const [outcome] = await this.#thread.ask(ask);
    return rowsOf(outcome as Outcome);
  }

  /** Tries again while another program has the lock, which is when the whole of it did nothing. */
  async #whenFree(ask: Ask): Promise<readonly Outcome[]> {
    const deadline = performance.now() + this.#lockWaitMs;
    for (;;) {
      const outcomes = await this.#thread.ask(ask);
      const busy = outcomes.find((outcome) => "failed" in outcome && outcome.failed.busy);
      if (!busy) return outcomes;
      if (performance.now() >= deadline) rowsOf(busy);
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
    const statement = { sql, parameters: parameters.map((value, at) => bindable(value, at, sql)) };
    let result: Rows;
    if (this.finishTransaction) result = await this.#driver.ask({ kind: "write", statement });
    else if (SelectQueryNode.is(query)) result = await this.#driver.ask({ kind: "read", statement });
    else result = await this.#driver.write(statement);
    return {
      rows: result.rows as R[],
      numAffectedRows: BigInt(result.changes),
      insertId: BigInt(result.insertId),
    };
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

function rowsOf(outcome: Outcome): Rows {
  if ("failed" in outcome) throw errorOf(outcome.failed);
  return outcome.done;
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

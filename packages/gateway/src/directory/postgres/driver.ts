import { GatehouseError, assert } from "@gatehouse/kernel";
import type { CompiledQuery, DatabaseConnection, Driver, QueryResult, TransactionSettings } from "kysely";
import { databaseFailure } from "./failures.ts";

/** Kysely's own driver for PostgreSQL, with our failures, and values that come back as they were given. */
export class GuardedDriver implements Driver {
  readonly #driver: Driver;

  constructor(driver: Driver) {
    this.#driver = driver;
  }
  init(): Promise<void> {
    return this.#driver.init();
  }
  async acquireConnection(): Promise<DatabaseConnection> {
    return new GuardedConnection(await guarded("directory.connect", this.#driver.acquireConnection()));
  }
  releaseConnection(connection: DatabaseConnection): Promise<void> {
    return this.#driver.releaseConnection(ownOf(connection));
  }
  beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    return guarded("directory.begin", this.#driver.beginTransaction(ownOf(connection), settings));
  }
  commitTransaction(connection: DatabaseConnection): Promise<void> {
    return guarded("directory.commit", this.#driver.commitTransaction(ownOf(connection)));
  }
  rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    return guarded("directory.rollback", this.#driver.rollbackTransaction(ownOf(connection)));
  }
  destroy(): Promise<void> {
    return this.#driver.destroy();
  }
}

class GuardedConnection implements DatabaseConnection {
  readonly own: DatabaseConnection;

  constructor(own: DatabaseConnection) {
    this.own = own;
  }
  executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const parameters = query.parameters.map((value, at) => sendable(value, at, query.sql));
    return guarded("directory.query", this.own.executeQuery<R>({ ...query, parameters }));
  }
  // oxlint-disable-next-line require-yield -- the interface asks for a generator
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new GatehouseError({
      code: "internal",
      op: "directory.stream",
      message: "streams are not offered",
    });
  }
}

function ownOf(connection: DatabaseConnection): DatabaseConnection {
  return (connection as GuardedConnection).own;
}

async function guarded<T>(op: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw databaseFailure(op, error);
  }
}

function sendable(value: unknown, at: number, sql: string): unknown {
  if (value === null || typeof value === "bigint") return value;
  if (typeof value === "string") {
    assert(value.isWellFormed(), `parameter ${at} of \`${sql}\` is not well-formed Unicode`);
    // PostgreSQL has no text with a NUL. What somebody else chose must not keep its own row out of the database by it.
    return value.replaceAll("\0", "\uFFFD");
  }
  if (typeof value === "number") {
    assert(!Number.isNaN(value), `parameter ${at} of \`${sql}\` is not a number`);
    return value;
  }
  throw new GatehouseError({
    code: "internal",
    op: "directory.bind",
    message: `parameter ${at} of \`${sql}\` is a ${typeof value}, which no column holds`,
  });
}

import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { type ErrorCode, isGatehouseError } from "@gatehouse/kernel";
import { databaseFailure, isBusy } from "./failures.ts";
import type { SqliteHandles } from "./open.ts";

export type Statement = { sql: string; parameters: readonly SQLInputValue[] };
export type Rows = { rows: unknown[]; changes: number | bigint; insertId: number | bigint };
/** What went wrong, as it can pass between threads. `busy`: nothing was done and it may be tried again. */
export type Failure = { busy: boolean; code: ErrorCode; op: string; message: string; hint?: string };
export type Outcome = { done: Rows } | { failed: Failure };

/** Prepared statements kept per connection; the gateway has some hundreds of them. */
const statementsMax = 512;

type Prepared = { statement: StatementSync; hasRows: boolean };

/** Executes statements on the two connections of a database, on the calling thread. Nothing here throws. */
export class Statements {
  readonly #handles: SqliteHandles;
  readonly #prepared = new Map<DatabaseSync, Map<string, Prepared>>();

  constructor(handles: SqliteHandles) {
    this.#handles = handles;
  }

  read(statement: Statement): Outcome {
    return this.#execute(this.#handles.reader, statement);
  }
  /** Within the transaction that is open, or as one of its own. */
  write(statement: Statement): Outcome {
    return this.#execute(this.#handles.writer, statement);
  }
  begin(): Outcome {
    // Immediate: a deferred transaction could be refused its lock after it has read, and would have read too early.
    return this.#plain("begin immediate");
  }
  /** A transaction whose commit failed is gone. */
  commit(): Outcome {
    const outcome = this.#plain("commit");
    if ("failed" in outcome) this.rollback();
    return outcome;
  }
  rollback(): Outcome {
    return this.#inTransaction ? this.#plain("rollback") : done;
  }

  /** Each statement by itself, all in one commit: one that fails takes nothing of the others with it. */
  group(statements: readonly Statement[]): Outcome[] {
    const [only] = statements;
    if (only && statements.length === 1) return [this.write(only)];
    const all = (outcome: Outcome) => statements.map(() => outcome);
    const begun = this.begin();
    if ("failed" in begun) return all(begun);
    const outcomes: Outcome[] = [];
    for (const statement of statements) {
      this.#plain("savepoint one");
      const outcome = this.write(statement);
      // A full disk ends the transaction itself, and with it what others had written in it.
      if (!this.#inTransaction) return all(outcome);
      if ("failed" in outcome) this.#plain("rollback to one");
      this.#plain("release one");
      outcomes.push(outcome);
    }
    const committed = this.commit();
    return "failed" in committed ? all(committed) : outcomes;
  }

  close(): void {
    this.#prepared.clear();
    for (const handle of [this.#handles.reader, this.#handles.writer]) if (handle.isOpen) handle.close();
  }

  get #inTransaction(): boolean {
    return this.#handles.writer.isOpen && this.#handles.writer.isTransaction;
  }
  #plain(sql: string): Outcome {
    return this.#execute(this.#handles.writer, { sql, parameters: [] });
  }
  #execute(handle: DatabaseSync, { sql, parameters }: Statement): Outcome {
    try {
      const { statement, hasRows } = this.#statement(handle, sql);
      if (hasRows) return { done: { ...none, rows: statement.all(...parameters) } };
      const { changes, lastInsertRowid } = statement.run(...parameters);
      return { done: { rows: [], changes, insertId: lastInsertRowid } };
    } catch (error) {
      return { failed: failureOf("directory.query", error) };
    }
  }
  #statement(handle: DatabaseSync, sql: string): Prepared {
    let known = this.#prepared.get(handle);
    if (!known) this.#prepared.set(handle, (known = new Map()));
    let prepared = known.get(sql);
    if (!prepared) {
      const statement = handle.prepare(sql);
      prepared = { statement, hasRows: statement.columns().length > 0 };
      if (known.size >= statementsMax) known.clear();
      known.set(sql, prepared);
    }
    return prepared;
  }
}

const none: Rows = { rows: [], changes: 0, insertId: 0 };
const done: Outcome = { done: none };

export function failureOf(op: string, error: unknown): Failure {
  const { code, message, hint, ...failure } = databaseFailure(op, error);
  return {
    busy: !isGatehouseError(error) && isBusy(error),
    code,
    op: failure.op,
    message,
    ...(hint !== undefined && { hint }),
  };
}

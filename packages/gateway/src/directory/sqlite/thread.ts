import { Worker } from "node:worker_threads";
import { GatehouseError, messageOf } from "@gatehouse/kernel";
import type { Failure, Outcome, Statement } from "./statements.ts";

/** What can be asked of the thread. `group` is answered with an outcome for each statement, all else with one. */
export type Ask =
  | { kind: "read" | "write"; statement: Statement }
  | { kind: "group"; statements: readonly Statement[] }
  | { kind: "begin" | "commit" | "rollback" | "close" };
/** The first answer of a thread, of number 0, says that the database is open, or why it is not. */
export type Answer = { number: number; outcomes: Outcome[] };

/**
 * A database on a thread of its own. A commit waits for the disk, and the thread that forwards everybody's bytes must not
 * wait with it.
 */
export type SqliteThread = {
  /** In the order they were asked. Rejects with `unavailable` when the thread is gone. */
  ask(ask: Ask): Promise<readonly Outcome[]>;
  close(): Promise<void>;
};

/** Rejects with what is wrong with the file. */
export async function openSqlite(path: string): Promise<SqliteThread> {
  const worker = new Worker(new URL("thread-entry.ts", import.meta.url), { workerData: path });
  const waiting = new Map<
    number,
    { resolve: (outcomes: readonly Outcome[]) => void; reject: (error: Error) => void }
  >();
  let last = 0;
  let gone: GatehouseError | undefined;
  const lost = (why: string) => {
    gone ??= new GatehouseError({ code: "unavailable", op: "directory.query", message: why });
    for (const { reject } of waiting.values()) reject(gone);
    waiting.clear();
  };
  const expect = (number: number) =>
    new Promise<readonly Outcome[]>((resolve, reject) => waiting.set(number, { resolve, reject }));
  worker.on("message", ({ number, outcomes }: Answer) => {
    waiting.get(number)?.resolve(outcomes);
    waiting.delete(number);
  });
  worker.on("error", (error) => lost(`the database's thread failed: ${messageOf(error)}`));
  worker.on("exit", () => lost("the database is closed"));

  const ask = (asked: Ask) => {
    if (gone) return Promise.reject(gone);
    const number = ++last;
    // oxlint-disable-next-line require-post-message-target-origin -- a thread has no origin
    worker.postMessage({ number, ask: asked });
    return expect(number);
  };
  const [opened] = await expect(0);
  if (opened && "failed" in opened) {
    await worker.terminate();
    throw errorOf(opened.failed);
  }
  return {
    ask,
    async close() {
      if (gone) return;
      await ask({ kind: "close" });
      await worker.terminate();
    },
  };
}

export function errorOf({ code, op, message, hint }: Failure): GatehouseError {
  return new GatehouseError({ code, op, message, ...(hint !== undefined && { hint }) });
}

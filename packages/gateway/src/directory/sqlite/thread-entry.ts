import { parentPort, workerData } from "node:worker_threads";
import { assert } from "@gatehouse/kernel";
import { openHandles } from "./open.ts";
import { type Outcome, Statements, failureOf } from "./statements.ts";
import type { Answer, Ask } from "./thread.ts";

/** The thread's own code: opens the file that it was started for, and does what it is asked, one after the other. */
const port = parentPort;
assert(port !== null, "this file is the code of a thread");
const answer = (number: number, outcomes: Outcome[]) =>
  port.postMessage({ number, outcomes } satisfies Answer);

try {
  const statements = new Statements(openHandles(workerData as string));
  port.on("message", ({ number, ask }: { number: number; ask: Ask }) =>
    answer(number, answerTo(statements, ask)),
  );
  answer(0, []);
} catch (error) {
  answer(0, [{ failed: failureOf("directory.open", error) }]);
}

function answerTo(statements: Statements, ask: Ask): Outcome[] {
  switch (ask.kind) {
    case "read":
      return [statements.read(ask.statement)];
    case "write":
      return [statements.write(ask.statement)];
    case "group":
      return statements.group(ask.statements);
    case "begin":
      return [statements.begin()];
    case "commit":
      return [statements.commit()];
    case "rollback":
      return [statements.rollback()];
    case "close":
      statements.close();
      return [];
  }
}

/** `npm run fault [rounds]`: the gateway and the journal killed, and the power cut; a thousand rounds of each unless told otherwise. */
import { run } from "../../tools/run.ts";

const rounds = process.argv[2] ?? "1000";

process.exitCode = await run(
  "node",
  [
    "--test",
    "--test-reporter=spec",
    "--test-concurrency=1",
    "test/fault/kill.test.ts",
    "test/fault/postgres-kill.test.ts",
    "test/fault/mysql-kill.test.ts",
    "test/fault/journal-kill.test.ts",
    "packages/recording/src/pipeline/crash.test.ts",
  ],
  { env: { FAULT_ROUNDS: rounds, CRASH_RUNS: rounds } },
);

/** `npm run fault [rounds]`: the kill test, a thousand rounds unless told otherwise. */
import { run } from "../../tools/run.ts";

process.exitCode = await run("node", ["--test", "--test-reporter=spec", "test/fault/kill.test.ts"], {
  env: { FAULT_ROUNDS: process.argv[2] ?? "1000" },
});

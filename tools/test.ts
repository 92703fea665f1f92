/**
 * `npm test`: brings the real programs that the tests talk to, builds the pages, and runs every test.
 * `npm test -- packages/kernel` runs the tests below one folder. Ends in the test runner's own summary.
 */
import { globSync } from "node:fs";
import { describeParts, installParts } from "./parts.ts";
import { root, run } from "./run.ts";
import { buildWeb } from "./web.ts";

const folders = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));
const flags = process.argv.slice(2).filter((argument) => argument.startsWith("-"));

await installParts();
process.stderr.write(`${describeParts()}\n`);
await buildWeb();

const files = globSync(["packages/*/src/**/*.test.ts", "packages/*/src/**/*.fuzz.ts", "test/**/*.test.ts"], {
  cwd: root,
})
  .filter((file) => folders.length === 0 || folders.some((folder) => file.startsWith(folder)))
  .sort();
if (files.length === 0) {
  process.stderr.write(`no test file below ${folders.join(", ")}\n`);
  process.exit(2);
}
// One more than the cores of a small machine: much of a test is waiting for programs and disks.
process.exitCode = await run("node", [
  "--test",
  "--test-reporter=spec",
  "--test-concurrency=3",
  "--test-timeout=300000",
  ...flags,
  ...files,
]);

/**
 * `npm test`: brings the real programs that the tests talk to, builds the pages, and runs every test.
 * `npm test -- packages/kernel` runs the tests below one folder. Ends in the test runner's own summary.
 */
import { globSync } from "node:fs";
import { join } from "node:path";
import { describeParts, installParts } from "./parts.ts";
import { root, run } from "./run.ts";
import { buildWeb } from "./web.ts";

const folders = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));
const flags = process.argv.slice(2).filter((argument) => argument.startsWith("-"));

/** Those that take minutes go first: one that began last would run on alone when all others are through. */
const waits = [/^test\/(e2e|fault)\//, /\/stores\//, /\/e2e\/web-/];
const waitsOf = (file: string) => waits.findLastIndex((pattern) => pattern.test(file));

await installParts();
process.stderr.write(`${describeParts()}\n`);
await buildWeb();

const files = globSync(["packages/*/src/**/*.test.ts", "packages/*/src/**/*.fuzz.ts", "test/**/*.test.ts"], {
  cwd: root,
})
  .filter((file) => folders.length === 0 || folders.some((folder) => file.startsWith(folder)))
  .sort((a, b) => waitsOf(b) - waitsOf(a) || (a < b ? -1 : 1));
if (files.length === 0) {
  process.stderr.write(`no test file below ${folders.join(", ")}\n`);
  process.exit(2);
}
process.exitCode = await run(
  "node",
  [
    "--test",
    "--test-reporter=spec",
    // One more than the cores of a small machine: much of a test is waiting for programs and disks.
    "--test-concurrency=3",
    "--test-timeout=300000",
    ...flags,
    ...files,
  ],
  // Most of a short test is reading sources, the same ones in each process.
  { env: { NODE_COMPILE_CACHE: join(root, "node_modules/.cache/compile") } },
);

/** `npm run check`: types, lint, format, dead code and the tidy rules; all of them, then one verdict. */
import { run } from "./run.ts";

const steps: readonly { name: string; command: string; args: readonly string[] }[] = [
  { name: "types", command: "tsc", args: ["-p", ".", "--incremental", "--tsBuildInfoFile", ".cache/types"] },
  { name: "lint", command: "oxlint", args: ["--type-aware", "--deny-warnings"] },
  { name: "format", command: "oxfmt", args: ["--check", "."] },
  { name: "dead code", command: "knip", args: [] },
  {
    name: "tidy",
    command: "node",
    args: ["--test", "--test-reporter=dot", "test/tidy/tidy.test.ts", "test/tidy/api-access.test.ts"],
  },
];

const failed: string[] = [];
for (const step of steps) {
  process.stderr.write(`== ${step.name}\n`);
  if ((await run(step.command, step.args)) !== 0) failed.push(step.name);
}
if (failed.length > 0) {
  process.stderr.write(`\ncheck failed: ${failed.join(", ")}\n`);
  process.exitCode = 1;
} else process.stderr.write("\ncheck passed\n");

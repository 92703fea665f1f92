/** `npm run fuzz [runs] [folder]`: every fuzzer with many more runs than the tests give it. Each failure prints its seed. */
import { globSync } from "node:fs";
import { root, run } from "../../tools/run.ts";

const [runs = "20000", folder = "packages"] = process.argv.slice(2);
const files = globSync(`${folder}/**/*.fuzz.ts`, {
  cwd: root,
  exclude: (name) => name === "node_modules",
}).sort();
process.exitCode = await run("node", ["--test", "--test-reporter=spec", "--test-timeout=3600000", ...files], {
  env: { FUZZ_RUNS: runs },
});

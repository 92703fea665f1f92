/** `npm run bench [name ...]`: every benchmark, or those whose file begins with a name, one after the other. */
import { globSync } from "node:fs";
import { root, run } from "../tools/run.ts";

const wanted = process.argv.slice(2);
const files = globSync("bench/*.bench.ts", { cwd: root })
  .filter((file) => wanted.length === 0 || wanted.some((name) => file.startsWith(`bench/${name}`)))
  .sort();
for (const file of files) {
  process.stdout.write(`\n== ${file}\n`);
  const code = await run("node", [file]);
  if (code !== 0) process.exitCode = code;
}

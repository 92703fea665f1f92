/** `npm run grpc-code`: checks the .proto files and writes the code that is generated from them. */
import { join } from "node:path";
import { root, run } from "./run.ts";

const cwd = join(root, "packages/contracts");
for (const step of [["lint"], ["generate"]]) {
  process.exitCode = await run("buf", step, { cwd });
  if (process.exitCode !== 0) break;
}

import { existsSync, globSync, statSync } from "node:fs";
import { root, run } from "./run.ts";

const sources = [
  "packages/web/src/**/*",
  "packages/web/*.*",
  "packages/contracts/src/**/*",
  "packages/recording/src/*.ts",
];

/** Builds the pages when a source is newer than what was built. */
export async function buildWeb(): Promise<void> {
  const built = `${root}packages/web/dist/index.html`;
  if (existsSync(built)) {
    const builtAt = statSync(built).mtimeMs;
    const changed = globSync(sources, { cwd: root }).some(
      (file) => statSync(`${root}${file}`).mtimeMs > builtAt,
    );
    if (!changed) return;
  }
  const code = await run("vite", ["build", "--logLevel", "warn"], { cwd: `${root}packages/web` });
  if (code !== 0) throw new Error("the pages do not build");
}

/** Where the drivers' own tests come from: their projects' repositories, each at one commit; npm's packages leave tests out. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root, run } from "../../tools/run.ts";

const folder = join(root, "node_modules/.cache/driver-suites");

/** What their tests import and this project does not. What the drivers themselves import is found in this project's modules. */
const modules = {
  "@pokujs/multi-suite": "1.0.2",
  "assert-diff": "3.0.4",
  async: "2.6.4",
  bluebird: "3.7.2",
  co: "4.6.0",
  "error-stack-parser": "2.1.4",
  "expect.js": "0.3.1",
  lodash: "4.17.21",
  mocha: "11.7.5",
  "pg-copy-streams": "0.3.0",
  poku: "4.5.0",
  portfinder: "1.0.38",
  tsx: "4.23.11",
};

/**
 * A checkout of that commit; resolves with its path. A machine that reaches the repository by another way says so in git's
 * own words: `GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=url.<there>.insteadOf GIT_CONFIG_VALUE_0=https://github.com/...`.
 */
export async function bringSource(repository: string, commit: string): Promise<string> {
  await bringModules();
  const place = join(folder, repository.replace("/", "-"));
  const git = (...args: string[]) => run("git", ["-C", place, ...args]);
  const url = `https://github.com/${repository}`;
  mkdirSync(place, { recursive: true });
  const steps = [
    ["init", "-q"],
    ["fetch", "-q", "--depth=1", url, commit],
    ["checkout", "-q", "--force", commit],
    // What an earlier run edited or left behind.
    ["clean", "-q", "-x", "-d", "--force"],
  ];
  for (const step of steps)
    if ((await git(...step)) !== 0)
      throw new Error(`${url} at ${commit} cannot be had (git ${step.join(" ")} failed)`);
  return place;
}

async function bringModules(): Promise<void> {
  const manifest = join(folder, "package.json");
  const wanted = JSON.stringify({ private: true, dependencies: modules }, undefined, 2);
  mkdirSync(folder, { recursive: true });
  if (existsSync(join(folder, "node_modules/tsx"))) return;
  writeFileSync(manifest, wanted);
  const args = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
  if ((await run("npm", args, { cwd: folder })) !== 0)
    throw new Error("the modules of the drivers' tests cannot be had");
}

/** A program of the modules above. */
export const moduleFile = (path: string): string => join(folder, "node_modules", path);

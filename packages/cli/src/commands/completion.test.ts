import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { createWorkshop } from "../testing/run-here.ts";

const workshop = createWorkshop();
const { folder, run } = workshop;
after(() => workshop.close());

const missing = (shell: string) =>
  spawnSync(shell, ["--version"]).status === 0 ? false : `${shell} is not installed`;

async function scriptFor(shell: string): Promise<string> {
  const { code, stdout } = await run(["completion", shell]);
  assert.equal(code, 0);
  const path = join(folder, `completion.${shell}`);
  writeFileSync(path, stdout);
  return path;
}
function said(shell: string, ...words: string[]): string[] {
  const { stdout, stderr } = spawnSync(shell, words, {
    encoding: "utf8",
    cwd: folder,
    env: { ...process.env, TERM: "dumb" },
  });
  assert.equal(stderr, "");
  return stdout.trim().split(/\s+/).sort();
}

test("bash completes commands, subcommands, options and choices", { skip: missing("bash") }, async () => {
  const path = await scriptFor("bash");
  const complete = (...words: string[]) => {
    const list = words.map((word) => `'${word}'`).join(" ");
    return said(
      "bash",
      "--norc",
      "-c",
      // compopt speaks only to a completion that is under way.
      `set -u; source ${path}; compopt() { :; }; COMP_WORDS=(gatehouse ${list}); COMP_CWORD=${words.length}; _gatehouse; echo "\${COMPREPLY[@]}"`,
    );
  };
  assert.deepEqual(complete("re"), ["recordings", "recover", "requests"]);
  assert.deepEqual(complete("recordings", ""), [
    "acknowledge",
    "alarms",
    "coverage",
    "download",
    "export",
    "hold",
    "index",
    "ls",
    "release",
    "retention",
    "rewrap",
    "search",
    "verify",
  ]);
  assert.deepEqual(complete("users", "keys", "a"), ["add"]);
  assert.deepEqual(complete("play", "--sp"), ["--speed"]);
  assert.deepEqual(complete("play", "--speed", "0."), ["0.5x", "0.75x"]);
  assert.deepEqual(complete("completion", "f"), ["fish"]);
});

test("zsh takes the script", { skip: missing("zsh") }, async () => {
  const path = await scriptFor("zsh");
  assert.deepEqual(
    said("zsh", "-f", "-c", `autoload -Uz compinit; compinit -u -D; source ${path}; echo $_comps[gatehouse]`),
    ["_gatehouse"],
  );
});

test("fish completes commands, subcommands, options and choices", { skip: missing("fish") }, async () => {
  const path = await scriptFor("fish");
  const complete = (line: string) =>
    said("fish", "--no-config", "-c", `source ${path}; complete -C '${line}' | string split -f 1 \\t`);
  assert.deepEqual(complete("gatehouse recordings e"), ["export"]);
  assert.deepEqual(complete("gatehouse users keys "), ["add", "ls", "rm"]);
  assert.deepEqual(
    complete("gatehouse play --speed 0.").filter((word) => word.endsWith("x")),
    ["0.5x", "0.75x"],
  );
});

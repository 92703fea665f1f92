import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { systemClock } from "@gatehouse/kernel";
import { createProgram } from "./program.ts";
import { reference } from "./reference.ts";

const path = fileURLToPath(new URL("../../../docs/cli.md", import.meta.url));
const program = createProgram({
  command: "gatehouse",
  env: {},
  workingDirectory: "/",
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  clock: systemClock,
  signal: new AbortController().signal,
  lendTerminal: () => () => undefined,
});

test("docs/cli.md is what the help says", () => {
  const made = reference(program);
  if (process.env["UPDATE_DOCS"]) writeFileSync(path, made);
  assert.equal(
    readFileSync(path, "utf8"),
    made,
    "write it anew: UPDATE_DOCS=1 node --test packages/cli/src/reference.test.ts",
  );
});

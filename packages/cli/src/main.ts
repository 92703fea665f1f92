import { enableCompileCache } from "node:module";
import { basename } from "node:path";
import { systemClock } from "@gatehouse/kernel";
import type { Cli } from "./cli.ts";
import { compileCacheFolder } from "./compile-cache.ts";

enableCompileCache(compileCacheFolder(process.env));
const { run } = await import("./run.ts");

const command = process.env["GATEHOUSE_COMMAND"] ?? basename(process.argv[1] ?? "gatehouse");
// Set by the launcher for us alone: a gateway that is started from here reads GATEHOUSE_… as its configuration.
delete process.env["GATEHOUSE_COMMAND"];

const interrupt = new AbortController();
const endingMs = 500;
let isTerminalLent = false;
for (const [signal, number] of [
  ["SIGHUP", 1],
  ["SIGINT", 2],
  ["SIGTERM", 15],
] as const) {
  const end = () => {
    if (signal === "SIGINT" && isTerminalLent) return;
    process.off(signal, end);
    interrupt.abort();
    // A command that waits for somebody else would wait on.
    setTimeout(() => process.exit(128 + number), endingMs).unref();
  };
  process.on(signal, end);
}
// A reader such as `head` that has gone is no failure of ours.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

const cli: Cli = {
  command,
  env: process.env,
  workingDirectory: process.cwd(),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  clock: systemClock,
  signal: interrupt.signal,
  lendTerminal() {
    isTerminalLent = true;
    return () => (isTerminalLent = false);
  },
};

process.exitCode = await run(process.argv.slice(2), cli);

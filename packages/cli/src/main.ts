import { basename } from "node:path";
import { systemClock } from "@gatehouse/kernel";
import { CommanderError } from "commander";
import type { Cli } from "./cli.ts";
import { exitCodeOf, exitCodes, printError, SilentExit } from "./output/mod.ts";
import { createProgram } from "./program.ts";

const command = process.env["GATEHOUSE_COMMAND"] ?? basename(process.argv[1] ?? "gatehouse");
// Set by the launcher for us alone: a gateway that is started from here reads GATEHOUSE_… as its configuration.
delete process.env["GATEHOUSE_COMMAND"];

const interrupt = new AbortController();
const endingMs = 500;
for (const [signal, number] of [
  ["SIGHUP", 1],
  ["SIGINT", 2],
  ["SIGTERM", 15],
] as const)
  process.once(signal, () => {
    interrupt.abort();
    // A command that waits for somebody else would wait on.
    setTimeout(() => process.exit(128 + number), endingMs).unref();
  });
// A reader such as `head` that has gone is no failure of ours.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(exitCodes.ok);
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
};

try {
  await createProgram(cli).parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Help and version end the parsing in the same way; everything else was a wrong command line.
    process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  } else {
    process.exitCode = exitCodeOf(error);
    if (!(error instanceof SilentExit))
      printError(error, {
        write: (text) => process.stderr.write(text),
        debug: Boolean(process.env["GATEHOUSE_CLI_DEBUG"]),
      });
  }
}

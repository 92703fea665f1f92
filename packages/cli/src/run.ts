import { CommanderError } from "commander";
import type { Cli } from "./cli.ts";
import { SilentExit, exitCodeOf, exitCodes, printError } from "./output/mod.ts";
import { createProgram } from "./program.ts";

/** Does what the words say, and returns the exit code. */
export async function run(words: readonly string[], cli: Cli): Promise<number> {
  try {
    await createProgram(cli).parseAsync([...words], { from: "user" });
    return exitCodes.ok;
  } catch (error) {
    // Help ends the parsing in the same way as a wrong command line does.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    if (cli.signal.aborted) return exitCodes.interrupted;
    if (!(error instanceof SilentExit))
      printError(error, {
        write: (text) => cli.stderr.write(text),
        debug: Boolean(cli.env["GATEHOUSE_CLI_DEBUG"]),
      });
    return exitCodeOf(error);
  }
}

import { Command } from "commander";
import type { Cli } from "./cli.ts";
import { commands } from "./commands/mod.ts";

/** Every command, with its help. Nothing is done before `parseAsync`. */
export function createProgram(cli: Cli): Command {
  const program = new Command(cli.command)
    .description("Gatehouse: privileged sessions through one gate, recorded before they are seen.")
    .showSuggestionAfterError()
    .helpCommand(true)
    // An option belongs to the command behind which it stands: `targets credential` takes some that `rotate` below it takes too.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => cli.stdout.write(text),
      writeErr: (text) => cli.stderr.write(text),
      outputError: (text, write) => write(text),
    })
    .addHelpText(
      "after",
      `
Exit codes:
  0 done   1 failed, or did not verify   2 the command line was wrong   3 not signed in, or not allowed
  4 no such thing   5 the gateway does not answer   130 interrupted

On the gateway's own machine, whoever may open <data directory>/admin.sock administers without signing in.
Elsewhere: ${cli.command} login https://gate.example.com`,
    );
  for (const add of commands) add(program, cli);
  return program;
}

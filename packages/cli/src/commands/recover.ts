import { resolve } from "node:path";
import { systemClock, systemRandom } from "@gatehouse/kernel";
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { SilentExit, exitCodes } from "../output/mod.ts";
import { type OutputOptions, printerFor, withOutput } from "./options.ts";

export function addRecover(program: Command, cli: Cli): void {
  withOutput(
    program
      .command("recover")
      .summary("rebuild the list of sessions from the store of recordings")
      .description(
        "For a gateway whose database was lost: reads what the store holds and puts every session that is not in the database there, with " +
          "the state of its recording. It opens no recording and can be run again at any time. Stop the gateway, run it, and start the " +
          "gateway: that sends what the gateway itself still holds, and verifies every recording.",
      )
      .option(
        "-c, --config <file>",
        "the gateway's configuration; without one, what GATEHOUSE_CONFIG names, else the environment and the defaults",
      ),
  )
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 1 the store or the database cannot be used, or a recording has a fault",
    )
    .action(async (options: OutputOptions & { config?: string }) => {
      const { faults, ...counts } = await recover(cli, options.config ?? cli.env["GATEHOUSE_CONFIG"]);
      const printer = printerFor(cli, options);
      printer.thing({ ...counts, faults }, [
        ["recordings in the store", String(counts.found)],
        ["sessions added", String(counts.added)],
        ["sessions corrected", String(counts.corrected)],
        ["held by the store", String(counts.held)],
        ["with a fault", String(counts.faulty)],
        ...faults.map(({ sessionId, detail }) => ["fault", `${sessionId}: ${detail}`] as const),
      ]);
      if (counts.faulty > 0) throw new SilentExit(exitCodes.failed);
    });
}

async function recover(cli: Cli, file: string | undefined) {
  // Loaded here alone: every other command works without the gateway's parts.
  const { loadConfig } = await import("@gatehouse/gateway/config");
  const { configSections } = await import("@gatehouse/gateway/registry");
  const { recoverFromStore } = await import("@gatehouse/gateway/recover");
  const config = loadConfig({
    file: file === undefined ? undefined : resolve(cli.workingDirectory, file),
    env: cli.env,
    sections: configSections,
    ignoredVariables: Object.keys(cli.env).filter((name) => name.startsWith("GATEHOUSE_CLI_")),
    workingDirectory: cli.workingDirectory,
  });
  return recoverFromStore({ config, clock: systemClock, random: systemRandom });
}

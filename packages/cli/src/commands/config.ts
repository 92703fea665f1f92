import { resolve } from "node:path";
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { SilentExit, exitCodes } from "../output/mod.ts";
import { type OutputOptions, printerFor, withOutput } from "./options.ts";

export function addConfig(program: Command, cli: Cli): void {
  const config = program.command("config").summary("the gateway's configuration");
  withOutput(
    config
      .command("check")
      .summary("read a configuration without starting")
      .description(
        "Reads the file and the environment as the gateway would, and names every key that is wrong, what is expected and " +
          "where it stands. Without a file: the one that GATEHOUSE_CONFIG names, else the environment and the defaults alone.",
      )
      .argument("[file]"),
  )
    .addHelpText("after", "\nExit codes: 0 the gateway would start with it, 1 it would not")
    .action(async (given: string | undefined, options: OutputOptions) => {
      const file = given ?? cli.env["GATEHOUSE_CONFIG"];
      // Loaded here alone: every other command works without the gateway's parts.
      const { checkConfig, formatFinding } = await import("@gatehouse/gateway/config");
      const { configSections } = await import("@gatehouse/gateway/registry");
      const check = checkConfig({
        file: file === undefined ? undefined : resolve(cli.workingDirectory, file),
        env: cli.env,
        sections: configSections,
        ignoredVariables: Object.keys(cli.env).filter((name) => name.startsWith("GATEHOUSE_CLI_")),
        workingDirectory: cli.workingDirectory,
      });
      const printer = printerFor(cli, options);
      const about = file ?? "the environment and the defaults";
      if (check.ok) {
        printer.done({ ok: true, file: file ?? null, findings: [] }, `${about}: valid`);
        return;
      }
      printer.done(
        { ok: false, file: file ?? null, findings: check.findings },
        check.findings.map(formatFinding).join("\n"),
      );
      throw new SilentExit(exitCodes.failed);
    });
}

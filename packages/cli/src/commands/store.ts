import { resolve } from "node:path";
import { isGatehouseError, messageOf, systemClock, systemRandom } from "@gatehouse/kernel";
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { type Printer, SilentExit, exitCodes } from "../output/mod.ts";
import { type OutputOptions, printerFor, withOutput } from "./options.ts";

type Finding = { level: "ok" | "warning" | "problem"; message: string; hint?: string };
type StoreReport = {
  ok: boolean;
  kind: string;
  location: string;
  /** What the store itself refuses, and what only Gatehouse refuses. */
  enforced: { backend: string[]; gatehouse: string[] };
  findings: Finding[];
};

export function addStore(program: Command, cli: Cli): void {
  const store = program.command("store").summary("where recordings are kept");
  withOutput(
    store
      .command("check")
      .summary("see what the store of recordings really enforces")
      .description(
        "Opens the store that the configuration names, writes a probe object with a short retention, reads it back, tries " +
          "to overwrite and to remove it, and reads the store's settings and clock. Says what the store itself enforces, " +
          "what only Gatehouse enforces, and what to do about it. The gateway does the same at its start.",
      )
      .option(
        "-c, --config <file>",
        "the gateway's configuration; without one, what GATEHOUSE_CONFIG names, else the environment and the defaults",
      ),
  )
    .addHelpText(
      "after",
      "\nExit codes: 0 the store may keep recordings, 1 it has a problem or cannot be used, 2 the command line was wrong",
    )
    .action(async (options: OutputOptions & { config?: string }) => {
      const report = await checkStore(cli, options.config ?? cli.env["GATEHOUSE_CONFIG"]);
      const printer = printerFor(cli, options);
      printer.done(report, textOf(report, printer));
      if (!report.ok) throw new SilentExit(exitCodes.failed);
    });
}

async function checkStore(cli: Cli, file: string | undefined): Promise<StoreReport> {
  // Loaded here alone: every other command works without the gateway's parts.
  const { loadConfig } = await import("@gatehouse/gateway/config");
  const { configSections, openStore, unenforced } = await import("@gatehouse/gateway/registry");
  const config = loadConfig({
    file: file === undefined ? undefined : resolve(cli.workingDirectory, file),
    env: cli.env,
    sections: configSections,
    ignoredVariables: Object.keys(cli.env).filter((name) => name.startsWith("GATEHOUSE_CLI_")),
    workingDirectory: cli.workingDirectory,
  });
  const { store, kind, location } = await openStore(config.store, {
    dataDir: config.data_dir,
    clock: systemClock,
    random: systemRandom,
    mustEnforce: false,
  });
  try {
    const probe = await store.probe();
    const findings: Finding[] = [...probe.findings];
    const open = unenforced(probe);
    if (open !== undefined && config.mode === "production" && !config.store.accept_unenforced_immutability)
      findings.push({
        level: "problem",
        message: `the gateway does not start in mode production: ${open}`,
        hint: "Correct what is said above, or accept it: `store.accept_unenforced_immutability: true`.",
      });
    const by = (who: "backend" | "gatehouse") => [
      ...(probe.overwrite === who ? ["overwriting"] : []),
      ...(probe.deletion === who ? ["removing"] : []),
    ];
    const ok = findings.every((finding) => finding.level !== "problem");
    return { ok, kind, location, enforced: { backend: by("backend"), gatehouse: by("gatehouse") }, findings };
  } catch (error) {
    return {
      ok: false,
      kind,
      location,
      enforced: { backend: [], gatehouse: [] },
      findings: [{ level: "problem", message: messageOf(error), ...hintOf(error) }],
    };
  }
}

function hintOf(error: unknown): { hint?: string } {
  const hint = isGatehouseError(error) ? error.hint : undefined;
  return hint === undefined ? {} : { hint };
}

function textOf(report: StoreReport, printer: Printer): string {
  const words = (list: readonly string[]) => (list.length === 0 ? "nothing" : list.join(" and "));
  return [
    `${printer.bold(report.kind)}  ${report.location}`,
    `The store itself refuses:  ${words(report.enforced.backend)}`,
    `Only Gatehouse refuses:    ${words(report.enforced.gatehouse)}`,
    "",
    ...report.findings.flatMap(({ level, message, hint }) => [
      `${level.padEnd(9)}${message}`,
      ...(hint === undefined ? [] : [`         ${hint}`]),
    ]),
  ].join("\n");
}

import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { type OutputOptions, printerFor, withOutput } from "./options.ts";

export function addVersion(program: Command, cli: Cli): void {
  withOutput(program.command("version").summary("print the version")).action(
    async (options: OutputOptions) => {
      const text = await readFile(new URL("../../package.json", import.meta.url), "utf8");
      const { version } = JSON.parse(text) as { version: string };
      printerFor(cli, options).done(
        { version, node: process.versions.node, format: "gatehouse-recording/1" },
        `gatehouse ${version} (Node ${process.versions.node})`,
      );
    },
  );
}

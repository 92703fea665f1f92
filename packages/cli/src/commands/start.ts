import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { compileCacheFolder } from "../compile-cache.ts";

export function addStart(program: Command, cli: Cli): void {
  program
    .command("start")
    .summary("run a gateway on this machine")
    .description(
      "Runs a gateway in the foreground until it is stopped (SIGTERM or Ctrl-C ends sessions in order). It says where it " +
        "listens, and at the first start how to sign in.",
    )
    .option("-c, --config <file>", "its configuration; without one, the environment and the defaults")
    .addHelpText("after", `\nExample:\n  $ ${cli.command} start --config /etc/gatehouse/gatehouse.yaml`)
    .action(async (options: { config?: string }) => {
      const { gatewayNodeFlags } = await import("@gatehouse/gateway/config");
      const main = fileURLToPath(import.meta.resolve("@gatehouse/gateway/main"));
      const env = Object.entries(cli.env).filter(([name]) => !name.startsWith("GATEHOUSE_CLI_"));
      // The gateway takes this process's place: signals, the terminal and the exit code are its own.
      process.execve?.(
        process.execPath,
        [
          process.execPath,
          ...gatewayNodeFlags,
          main,
          ...(options.config === undefined ? [] : ["--config", options.config]),
        ],
        // By the environment, so that its threads have it too: one that makes an index starts for each session.
        {
          NODE_COMPILE_CACHE: compileCacheFolder(cli.env),
          ...(Object.fromEntries(env) as Record<string, string>),
        },
      );
    });
}

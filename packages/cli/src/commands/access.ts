import type { ExplainQuery } from "@gatehouse/contracts/rest";
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { type GatewayOptions, connect, withGateway } from "../connection/mod.ts";
import { SilentExit, exitCodes } from "../output/mod.ts";
import { type OutputOptions, printerFor, usage, withOutput } from "./options.ts";

export function addAccess(program: Command, cli: Cli): void {
  const access = program.command("access").summary("who may what, and why");
  withGateway(
    withOutput(
      access
        .command("explain")
        .summary("what somebody may do, and by which rule")
        .description(
          "Asks the gate what somebody would be told now, and by which rule. Exit code 0 when it is allowed, 3 when it is not.",
        )
        .argument("<user>", "a person's name")
        .argument("<action>", "session.open, session.join, recording.play, audit.read, ...")
        .argument("[resource]", "target:<name>, target:<name>/<login>, or session:<id>"),
    ),
  )
    .option("--from <address>", "as if they came from there")
    .addHelpText("after", `\nExample:\n  $ ${cli.command} access explain ann session.open target:web-01/root`)
    .action(
      async (
        user: string,
        action: string,
        resource: string | undefined,
        options: OutputOptions & GatewayOptions & { from?: string },
      ) => {
        const { client } = await connect(options, cli);
        const told = await client.access.explain({
          user,
          action,
          ...resourceOf(resource),
          ...(options.from !== undefined && { address: options.from }),
        });
        printerFor(cli, options).thing(told, [
          ["answer", told.allowed ? "allowed" : "denied"],
          ["rule", told.rule],
          ...(told.wouldAllow === null ? [] : [["would be allowed by", told.wouldAllow] as [string, string]]),
          ...(told.because === null ? [] : [["because", told.because] as [string, string]]),
          ...(told.request === null ? [] : [["by request", told.request] as [string, string]]),
          ["roles", told.roles.join(", ")],
        ]);
        if (!told.allowed) throw new SilentExit(exitCodes.denied);
      },
    );
}

function resourceOf(text: string | undefined): Pick<ExplainQuery, "target" | "login" | "session"> {
  if (text === undefined) return {};
  const [, kind, name = "", login] = /^(target|session):([^/]+)(?:\/(.+))?$/.exec(text) ?? [];
  if (kind === undefined)
    throw usage(`${text} is no resource`, "Write target:<name>/<login>, or session:<id>.");
  return kind === "session" ? { session: name } : { target: name, ...(login !== undefined && { login }) };
}

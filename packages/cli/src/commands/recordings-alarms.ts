import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { type GatewayOptions, connect, withGateway } from "../connection/mod.ts";
import { type OutputOptions, printerFor, withOutput } from "./options.ts";

/** What was found damaged, and taking note of it. */
export function addAlarms(recordings: Command, cli: Cli): void {
  withGateway(
    withOutput(
      recordings
        .command("alarms")
        .summary("recordings that were found damaged, until somebody acknowledges it"),
    ),
  ).action(async (options: OutputOptions & GatewayOptions) => {
    const { client } = await connect(options, cli);
    const printer = printerFor(cli, options);
    const { items } = await client.recordings.alarms();
    printer.list(
      items,
      [
        { title: "session", value: ({ sessionId }) => sessionId },
        { title: "user", value: ({ user }) => user ?? "-" },
        { title: "target", value: ({ target }) => target ?? "-" },
        { title: "found", value: ({ foundAt }) => printer.time(foundAt) },
        { title: "recording", value: ({ state }) => state ?? "-" },
        { title: "what", value: ({ detail }) => detail },
      ],
      "no alarms",
    );
  });
  withGateway(
    recordings
      .command("acknowledge")
      .summary("take note of damage that was found: its alarm is over")
      .argument("<session-id>")
      .requiredOption(
        "--reason <text>",
        "what was found out, or is done about it: it goes into the audit log",
      ),
  ).action(async (id: string, options: GatewayOptions & { reason: string }) => {
    const { client } = await connect(options, cli);
    await client.recordings.acknowledge(id, { reason: options.reason });
  });
}

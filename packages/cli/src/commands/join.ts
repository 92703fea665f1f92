import { GatehouseError, isId } from "@gatehouse/kernel";
import { type Command, Option } from "commander";
import type { Cli } from "../cli.ts";
import { type GatewayOptions, connect, withGateway } from "../connection/mod.ts";
import { exitCodes, shownText, SilentExit } from "../output/mod.ts";

const formats = ["pty", "json"] as const;
type Options = GatewayOptions & { mode: "observer"; format: (typeof formats)[number] };

export function addJoin(program: Command, cli: Cli): void {
  const command = program
    .command("join")
    .summary("look on at a live session")
    .description(
      "Shows a live session as it goes on, from the screen as it stands. It is only looked on at: nothing that you type reaches " +
        "it, and the size of your terminal is not its size. That you look on is recorded, audited and, unless the gateway says " +
        "otherwise, told to the person.\n\n" +
        "Keys: q or Ctrl-C quits, and the session goes on; Ctrl-Z stops looking for now.",
    )
    .argument("<session-id>")
    .addOption(new Option("-m, --mode <mode>", "how to take part").choices(["observer"]).default("observer"))
    .addOption(
      new Option("-f, --format <format>", "pty shows the screen; json prints every frame")
        .choices([...formats])
        .default("pty"),
    );
  withGateway(command)
    .addHelpText(
      "after",
      `
Example:
  $ ${cli.command} sessions ls --live
  $ ${cli.command} join 0199c0de-0000-7000-8000-000000000001`,
    )
    .action(async (id: string, options: Options) => {
      if (!isId(id))
        throw new GatehouseError({
          code: "not_found",
          op: "cli.join",
          message: `${id} is not the id of a session`,
          hint: `\`${cli.command} sessions ls --live\` lists those that are live.`,
        });
      const { client } = await connect(options, cli);
      const [session, recording] = await Promise.all([client.sessions.get(id), client.recordings.get(id)]);
      // Loaded here, as with `play`: what no other command waits for.
      const { liveSource } = await import("../source/mod.ts");
      const source = liveSource(client, session, recording);
      if (options.format === "json" || session.track === "query" || !cli.stdout.isTTY) {
        const { printWatched } = await import("./join-print.ts");
        await printWatched(source, session, options.format, cli);
        if (cli.signal.aborted) throw new SilentExit(exitCodes.interrupted);
        return;
      }
      const { watchOnTerminal } = await import("../player/mod.ts");
      const outcome = await watchOnTerminal({ source, ...cli });
      // It was drawn on a screen of its own, which is gone: what was seen last stays readable.
      for (const row of outcome.lastScreen) cli.stdout.write(`${row}\n`);
      if (source.watermark !== undefined) cli.stdout.write(`${shownText(source.watermark)}\n`);
      if (outcome.endedBy === "abort") throw new SilentExit(exitCodes.interrupted);
      if (outcome.endedBy === "quit") cli.stderr.write("you no longer look on; the session goes on\n");
      else cli.stderr.write(`the session has ended${endOf(outcome.end)}\n`);
    });
}

function endOf(end: { reason: string; detail: string | undefined } | undefined): string {
  return end ? ` (${[end.reason, end.detail].filter(Boolean).join(": ")})` : "";
}

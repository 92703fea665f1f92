import { GatehouseError } from "@gatehouse/kernel";
import { type Command, Option } from "commander";
import type { Cli } from "../cli.ts";
import { exitCodes, shownText, SilentExit, writeAll } from "../output/mod.ts";
import type { PlaySource } from "../player/mod.ts";
import type { IdentityOptions } from "../source/mod.ts";
import { type GatewayOptions, withGateway } from "../connection/mod.ts";
import { momentOf, withIdentity } from "./options.ts";

const speeds = [0.5, 0.75, 1, 1.5, 2, 4, 8] as const;
const formats = ["pty", "json", "yaml", "text"] as const;
type PlayFormat = (typeof formats)[number];
type Options = IdentityOptions &
  GatewayOptions & {
    speed: string;
    skipIdleTime?: boolean;
    from?: string;
    format: PlayFormat;
    find?: string;
    failed?: boolean;
  };

export function addPlay(program: Command, cli: Cli): void {
  const command = program
    .command("play")
    .summary("play a recording in this terminal")
    .description(
      "Plays a recording: of a session on the gateway, or out of a file, which needs no gateway.\n\n" +
        "Keys: space pauses; left and right go 5 seconds, [ and ] (or shift and arrows) 30 seconds; , and . step " +
        "back and on to where something was shown: a line, a statement, a file, a connection; + and - change the speed; 0 or home goes to the start; q quits.",
    )
    .argument("<what>", "a session's id, a recording's directory, a bundle (.tar) or an asciicast (.cast)")
    .addOption(
      new Option("--speed <speed>", "how fast").choices(speeds.map((speed) => `${speed}x`)).default("1x"),
    )
    .option("--from <moment>", "begin there: 83s, 1m23s or 1:23")
    .option("--skip-idle-time", "shorten every pause to half a second")
    .addOption(
      new Option(
        "-f, --format <format>",
        "pty plays; text prints what was shown; json and yaml print every frame",
      )
        .choices([...formats])
        .default("pty"),
    )
    .option("--find <words>", "of a database session, as text: only statements whose line has these words")
    .option("--failed", "of a database session, as text: only statements that failed or were refused");
  withGateway(withIdentity(command))
    .addHelpText(
      "after",
      `
Examples:
  $ ${cli.command} play 0199c0de-0000-7000-8000-000000000001
  $ ${cli.command} play --speed 2x --skip-idle-time ./session.tar
  $ ${cli.command} play --format text ./session.cast | less`,
    )
    .action(async (what: string, options: Options) => {
      // Loaded here: a terminal and the cryptography of recordings are what no other command waits for.
      const { openPlayable } = await import("../source/mod.ts");
      const source = await openPlayable(what, options, cli);
      if (
        (options.find !== undefined || options.failed) &&
        (options.format !== "text" || source.track !== "query")
      )
        throw new GatehouseError({
          code: "invalid",
          op: "play",
          message: "--find and --failed choose among the statements of a database session",
          hint: "Use them with --format text and a session on a database.",
        });
      if (source.note !== undefined) cli.stderr.write(`note: ${source.note}\n`);
      if (options.format === "pty") return playIt(source, options, cli);
      const { printFrames } = await import("./play-print.ts");
      const { find, failed } = options;
      await printFrames(source, options.format, cli, {
        ...(find !== undefined && { find }),
        ...(failed && { failed }),
      });
    });
}

async function playIt(source: PlaySource, options: Options, cli: Cli): Promise<void> {
  const { formatMoment, playOnTerminal, playRaw } = await import("../player/mod.ts");
  const fromUs = options.from === undefined ? undefined : momentOf(options.from);
  const pace = {
    source,
    ...(fromUs !== undefined && { fromUs }),
    speeds,
    clock: cli.clock,
    speed: Number(options.speed.slice(0, -1)),
    skipIdle: options.skipIdleTime === true,
    signal: cli.signal,
  };
  if (!cli.stdout.isTTY) {
    await playRaw({ ...pace, write: (bytes) => writeAll(cli.stdout, bytes) });
    return;
  }
  const outcome = await playOnTerminal({ ...pace, stdin: cli.stdin, stdout: cli.stdout });
  // The player drew on a screen of its own, which is gone: what was seen last stays readable.
  for (const row of outcome.lastScreen) cli.stdout.write(`${row}\n`);
  if (source.watermark !== undefined) cli.stdout.write(`${shownText(source.watermark)}\n`);
  if (outcome.endedBy === "abort") throw new SilentExit(exitCodes.interrupted);
  if (outcome.endedBy === "quit") cli.stderr.write(`stopped at ${formatMoment(outcome.positionUs)}\n`);
}

import { setTimeout as pause } from "node:timers/promises";
import type { Rewrapping } from "@gatehouse/contracts/rest";
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { type GatewayOptions, connect, withGateway } from "../connection/mod.ts";
import { SilentExit, exitCodes } from "../output/mod.ts";
import { type OutputOptions, printerFor, withOutput } from "./options.ts";
import { timeOf } from "./sessions.ts";

type Options = OutputOptions &
  GatewayOptions & { dryRun?: boolean; from?: string; to?: string; status?: boolean };

const lookEveryMs = 500;

export function addRewrap(recordings: Command, cli: Cli): void {
  withGateway(
    withOutput(
      recordings
        .command("rewrap")
        .summary("wrap the keys of recordings again, for the recipients configured now")
        .description(
          "For recipients that changed: a key was replaced, somebody joined or left. The gateway writes a signed object with the keys, wrapped " +
            "for whom its configuration names now, beside each recording whose keys are wrapped for others; no segment is touched. It goes on in " +
            "the gateway when this command is interrupted, and after a restart; run again it does what is left.",
        )
        .option("--dry-run", "count what is to be done, and write nothing")
        .option("--from <time>", "of sessions that started at this time or later (ISO 8601, or a date)")
        .option("--to <time>", "of sessions that started before this time")
        .option("--status", "begin nothing: say how far it is, or how it last ended"),
    ),
  )
    .addHelpText(
      "after",
      `
Whoever held an old key and has a copy of the manifest still opens that recording with it: nothing is erased.

Exit codes: 0 done, 1 some could not be wrapped again`,
    )
    .action(async (options: Options) => {
      const { client } = await connect(options, cli);
      const words = options.status
        ? await client.recordings.rewrapping()
        : await ended(
            await client.recordings.rewrap({
              dryRun: options.dryRun === true,
              ...(options.from !== undefined && { from: timeOf(options.from) }),
              ...(options.to !== undefined && { to: timeOf(options.to) }),
            }),
            () => client.recordings.rewrapping(),
            cli,
          );
      sayRewrapped(words, options, cli);
    });
}

async function ended(
  begun: Rewrapping,
  look: () => Promise<Rewrapping>,
  { signal, stderr }: Cli,
): Promise<Rewrapping> {
  let words = begun;
  while (words.state === "running" && !signal.aborted) {
    if (stderr.isTTY)
      stderr.write(`\r\u001b[Klooked at ${words.seen} recordings, ${words.wrapped} wrapped again`);
    await pause(lookEveryMs, undefined, { signal }).catch(() => {});
    words = await look();
  }
  if (stderr.isTTY) stderr.write("\r\u001b[K");
  return words;
}

function sayRewrapped(words: Rewrapping, options: OutputOptions, cli: Cli): void {
  const printer = printerFor(cli, options);
  printer.thing(words, [
    ["state", words.dryRun ? `${words.state}, nothing was written (dry run)` : words.state],
    ["why", words.detail ?? undefined],
    ["recipients", words.recipients.length > 0 ? words.recipients.join("\n") : undefined],
    ["looked at", String(words.seen)],
    [words.dryRun ? "to be wrapped" : "wrapped again", String(words.wrapped)],
    ["of these in part", words.partly > 0 ? `${words.partly}: no key here opens the rest` : undefined],
    ["right already", String(words.same)],
    ["not opened", words.withheld > 0 ? `${words.withheld}: no key here opens them` : undefined],
    ["failed", words.failed > 0 ? String(words.failed) : undefined],
    ...words.faults.map(({ sessionId, detail }) => ["fault", `${sessionId}: ${detail}`] as const),
  ]);
  if (words.state === "failed" || words.failed + words.withheld > 0) throw new SilentExit(exitCodes.failed);
}

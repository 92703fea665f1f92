import type { Search, SearchPage } from "@gatehouse/contracts/rest";
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { type GatewayOptions, connect, withGateway } from "../connection/mod.ts";
import { type Printer, SilentExit, exitCodes, shownText } from "../output/mod.ts";
import { formatMoment } from "../player/mod.ts";
import {
  type OutputOptions,
  again,
  labelOf,
  printerFor,
  sayWatermark,
  usage,
  withOutput,
} from "./options.ts";
import { timeOf } from "./sessions.ts";

type Options = OutputOptions &
  GatewayOptions & {
    user?: string;
    team?: string;
    target?: string;
    label?: string[];
    login?: string;
    kind?: string;
    since?: string;
    until?: string;
    event?: string;
    regex?: boolean;
    exact?: boolean;
    input?: boolean;
    perSession?: string;
    limit: string;
  };
type Found = SearchPage["items"][number];

export function addSearchAll(program: Command, cli: Cli): void {
  withGateway(
    withOutput(
      program
        .command("search")
        .summary("find text in all recordings")
        .description(
          "Finds text in what was shown, in the statements of database sessions and, where you may see it, in what was typed, in every recording that you may play; the newest session first. What you look for, and which recordings were opened for it, goes into the audit log. Exit code 1 when nothing is found.",
        )
        .argument("<text>", "letters of either case")
        .option("-E, --regex", "the text is a pattern, as RE2 reads it")
        .option("--exact", "in this case only")
        .option("--input", "only in what was typed")
        .option("--user <name>", "in sessions of this person")
        .option("--team <name>", "in sessions of people who are in this team")
        .option("--target <name>", "on this target")
        .option("--label <key=value>", "on targets with this label; may be given again", again)
        .option("--login <name>", "as this account")
        .option("--kind <kind>", "of this kind: shell, exec, sftp, sql, ...")
        .option("--since <time>", "started at this time or later (ISO 8601, or a date)")
        .option("--until <time>", "started before this time")
        .option("--event <name>", "that have this event in the audit log, for who may read it")
        .option("--per-session <count>", "no more finds of one session than these")
        .option("-n, --limit <count>", "at most so many finds; 0 for all", "1000"),
    ),
  )
    .addHelpText(
      "after",
      `
Examples:
  $ ${cli.command} search 'rm -rf' --target web-01 --since 2026-02-01
  $ ${cli.command} search --regex 'drop (table|schema)' --kind sql --json`,
    )
    .action(async (text: string, options: Options) => {
      const { client, where } = await connect(options, cli);
      const printer = printerFor(cli, options);
      const question = questionOf(text, options);
      const limit = numberOf("--limit", options.limit) || Number.POSITIVE_INFINITY;
      const all: Found[] = [];
      let count = 0;
      let page: SearchPage | undefined;
      let watermark: SearchPage["watermark"] = null;
      try {
        do {
          page = await client.search(
            {
              ...question,
              limit: Math.min(500, limit - count),
              ...(page && { cursor: page.next ?? "" }),
            },
            { signal: cli.signal },
          );
          if (cli.stderr.isTTY) cli.stderr.write("\r\u001b[K");
          // Once is enough above what can be scrolled back to.
          if (printer.format === "text" && watermark === null) sayWatermark(page.watermark, printer, cli);
          watermark ??= page.watermark;
          for (const found of page.items) {
            count += found.hits.length;
            if (printer.format === "text") printFound(found, printer, cli, where);
            else all.push(found);
          }
          if (cli.stderr.isTTY && page.next !== null) cli.stderr.write(`\r\u001b[K${farOf(page)}`);
        } while (page.next !== null && count < limit);
      } finally {
        if (cli.stderr.isTTY) cli.stderr.write("\r\u001b[K");
      }
      if (printer.format !== "text")
        printer.thing({ items: all, watermark, progress: page.progress, unread: page.unread }, []);
      else if (count === 0) printer.line("nothing found");
      if (page.next !== null) cli.stderr.write(`there may be more: ${farOf(page)}; raise --limit\n`);
      if (page.unread > 0) cli.stderr.write(`${page.unread} recordings could not be read\n`);
      if (count === 0) throw new SilentExit(exitCodes.failed);
    });
}

const farOf = ({ progress }: SearchPage) => `searched ${progress.searched} of ${progress.sessions} sessions`;

function questionOf(text: string, options: Options): Search {
  if (options.regex && options.exact)
    throw usage(
      "a text is either a pattern or exact",
      "Use --regex alone; a pattern minds the case, unless it begins with (?i).",
    );
  const { user, team, target, login, kind, event } = options;
  const labels: Record<string, string[]> = {};
  for (const [name, value] of (options.label ?? []).map(labelOf)) (labels[name] ??= []).push(value);
  return {
    text,
    mode: options.regex ? "regex" : options.exact ? "exact" : "any-case",
    ...(options.input && { sources: ["input"] }),
    ...(user !== undefined && { user }),
    ...(team !== undefined && { team }),
    ...(target !== undefined && { target }),
    ...(options.label && { labels }),
    ...(login !== undefined && { login }),
    ...(kind !== undefined && { kind }),
    ...(event !== undefined && { event }),
    ...(options.since !== undefined && { from: timeOf(options.since) }),
    ...(options.until !== undefined && { to: timeOf(options.until) }),
    ...(options.perSession !== undefined && { perSession: numberOf("--per-session", options.perSession) }),
  };
}

function numberOf(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw usage(`${name} expects a number, and got ${text}`);
  return Number(text);
}

/** A session, what was found in it, and what opens it there. */
function printFound(
  { session, hits, more, isWhole }: Found,
  printer: Printer,
  cli: Cli,
  where: string,
): void {
  const { user, login, target, kind, startedAt, id } = session;
  printer.line(
    printer.bold(shownText(`${user.name} -> ${login}@${target.name}  ${kind}  ${printer.time(startedAt)}`)),
  );
  for (const { timeUs, source, text, at, length } of hits) {
    const [before, found, after] = [text.slice(0, at), text.slice(at, at + length), text.slice(at + length)];
    const note = source === "input" ? "(typed) " : "";
    printer.line(
      `  ${formatMoment(timeUs).padStart(7)}  ${note}${shownText(before)}${printer.bold(shownText(found))}${shownText(after)}`,
    );
  }
  if (more) printer.line(`           and more: ${cli.command} recordings search ${id} ...`);
  if (!isWhole) printer.line("           not all of it could be searched");
  const first = hits[0];
  if (!first) return;
  // Just after, and no later: a tenth of a second later the line may be gone.
  const moment = `${Math.ceil(first.timeUs / 1000) / 1000}s`;
  printer.line(`           ${cli.command} play ${id} --from ${moment}`);
  if (/^https?:/.test(where)) printer.line(`           ${where}/sessions/${id}?t=${moment}`);
  printer.line("");
}

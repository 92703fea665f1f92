import type { RecordingHits, RecordingSearch } from "@gatehouse/contracts/rest";
import { GatehouseError } from "@gatehouse/kernel";
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { type GatewayOptions, connect, withGateway } from "../connection/mod.ts";
import { SilentExit, exitCodes, whileSaying } from "../output/mod.ts";
import { formatMoment } from "../player/mod.ts";
import { type OutputOptions, printerFor, sayWatermark, withOutput } from "./options.ts";

type SearchOptions = OutputOptions &
  GatewayOptions & { regex?: boolean; exact?: boolean; in?: RecordingSearch["sources"] };

/** More finds than anybody reads; the rest is told of. */
const hitsMax = 10_000;

export function addSearch(recordings: Command, cli: Cli): void {
  withGateway(
    withOutput(
      recordings
        .command("search")
        .summary("find text in a recording")
        .description(
          "Finds text in what was shown, in the statements of a database session and, where you may see it, in what was typed. What you look for goes into the audit log. Exit code 1 when nothing is found.",
        )
        .argument("<session-id>")
        .argument("<text>", "letters of either case")
        .option("-E, --regex", "the text is a pattern, as RE2 reads it")
        .option("--exact", "in this case only")
        .option("--in <sources...>", "only in these: screen, statement, input"),
    ),
  ).action(async (id: string, text: string, options: SearchOptions) => {
    if (options.regex && options.exact)
      throw new GatehouseError({
        code: "invalid",
        op: "cli.search",
        message: "a text is either a pattern or exact",
        hint: "Use --regex alone; a pattern minds the case, unless it begins with (?i).",
      });
    const { client } = await connect(options, cli);
    const search: RecordingSearch = {
      text,
      mode: options.regex ? "regex" : options.exact ? "exact" : "any-case",
      ...(options.in && { sources: options.in }),
      limit: 500,
    };
    const hits: RecordingHits["hits"] = [];
    const ask = (cursor?: string) =>
      whileSaying(
        `searching, ${hits.length} found`,
        client.recordings.search(
          id,
          { ...search, ...(cursor !== undefined && { cursor }) },
          { signal: cli.signal },
        ),
        cli,
      );
    let page = await ask();
    hits.push(...page.hits);
    while (page.next !== null && hits.length < hitsMax && !cli.signal.aborted) {
      page = await ask(page.next);
      hits.push(...page.hits);
    }
    const printer = printerFor(cli, options);
    sayWatermark(page.watermark, printer, cli);
    printer.list(
      hits,
      [
        { title: "moment", value: ({ timeUs }) => formatMoment(timeUs), align: "right" },
        { title: "in", value: ({ source }) => source },
        { title: "text", value: (hit) => hit.text, narrowTo: 20 },
      ],
      "nothing found",
    );
    if (page.next !== null) cli.stderr.write("there are more finds than these; look for something rarer\n");
    if (!page.isWhole) cli.stderr.write("there is more of this recording than was searched\n");
    if (hits.length === 0) throw new SilentExit(exitCodes.failed);
  });
}

import { resolve } from "node:path";
import type { ExportFormat, FilmCut, Session } from "@gatehouse/contracts/rest";
import { everyPage } from "@gatehouse/contracts/client";
import { messageOf } from "@gatehouse/kernel";
import { FilmProgress } from "@gatehouse/recording/film-progress";
import { type Command, Option } from "commander";
import type { Cli } from "../cli.ts";
import { type GatewayOptions, connect, withGateway } from "../connection/mod.ts";
import {
  type Column,
  type Printer,
  SilentExit,
  createProgress,
  exitCodes,
  formatBytes,
  whileSaying,
  writeAll,
} from "../output/mod.ts";
import { addAlarms } from "./recordings-alarms.ts";
import { addDownload } from "./recordings-download.ts";
import { addKeeping } from "./recordings-keeping.ts";
import { addRewrap } from "./recordings-rewrap.ts";
import { type OutputOptions, momentOf, printerFor, usage, withOutput } from "./options.ts";
import { addSearch } from "./recording-search.ts";
import { writeWhole } from "./write-whole.ts";
import { type ListOptions, durationOf, listSessions, timeOf, withFilters } from "./sessions.ts";

type ExportOptions = GatewayOptions & {
  format: ExportFormat;
  output?: string;
  force?: boolean;
  from?: string;
  to?: string;
  speed?: string;
  idle?: string;
};

/** Written out, so that no command waits for the schemas; the type holds it complete. */
const formats: Record<ExportFormat, true> = {
  bundle: true,
  asciicast: true,
  "asciicast-v3": true,
  gif: true,
  text: true,
  sql: true,
  csv: true,
  jsonl: true,
  json: true,
};

export function addRecordings(program: Command, cli: Cli): void {
  const recordings = program.command("recordings").summary("list, export and verify recordings");
  withFilters(recordings.command("ls").summary("list recordings, newest first")).action(
    async (options: ListOptions) => {
      const printer = printerFor(cli, options);
      printer.list(await listSessions(options, cli), columnsOf(printer), "no recordings");
    },
  );
  withGateway(
    recordings
      .command("export")
      .summary("take a recording away as a file")
      .argument("<session-id>")
      .addOption(
        new Option(
          "-f, --format <format>",
          "bundle proves itself and stays encrypted; the others are decrypted by the gateway",
        )
          .choices(Object.keys(formats))
          .default("bundle"),
      )
      .option(
        "-o, --output <file>",
        "where to; - for standard output. Left out: the name that the gateway gives it",
      )
      .option("--force", "write over a file that is there")
      .option("--from <moment>", "of a gif: begin there: 83s, 1m23s or 1:23")
      .option("--to <moment>", "of a gif: end there")
      .option("--speed <speed>", "of a gif: how fast, 0.25x to 64x")
      .option("--idle <time>", "of a gif: what is left of a longer pause; 2s where it is not said"),
  )
    .addHelpText(
      "after",
      `
Examples:
  $ ${cli.command} recordings export 0199c0de-0000-7000-8000-000000000001
  $ ${cli.command} recordings export 0199c0de-0000-7000-8000-000000000001 -f asciicast -o - | asciinema play -
  $ ${cli.command} recordings export 0199c0de-0000-7000-8000-000000000001 -f gif --from 12:30 --to 13:00 -o moment.gif`,
    )
    .action((id: string, options: ExportOptions) => exportTo(id, options, cli));
  withGateway(
    withOutput(
      recordings
        .command("verify")
        .summary("let the gateway check what is stored now")
        .description(
          "Lets the gateway check what is stored now. To check without trusting it: `recordings export`, then `verify`.",
        )
        .argument("<session-id>"),
    ),
  ).action(async (id: string, options: OutputOptions & GatewayOptions) => {
    const { client } = await connect(options, cli);
    const verification = await whileSaying("verifying", client.recordings.verify(id), cli);
    const printer = printerFor(cli, options);
    printer.thing(verification, [
      ["result", verification.ok ? "verified" : "NOT VERIFIED"],
      ["session", verification.sessionId],
      ["head", verification.headSha256 ?? undefined],
      ...verification.checks.map(({ name, status, detail }) => [name, `${status}: ${detail}`] as const),
    ]);
    if (!verification.ok) throw new SilentExit(exitCodes.failed);
  });
  addDownload(recordings, cli);
  addSearch(recordings, cli);
  addCoverage(recordings, cli);
  addKeeping(recordings, cli);
  addAlarms(recordings, cli);
  addRewrap(recordings, cli);
  addIndex(recordings, cli);
}

function addIndex(recordings: Command, cli: Cli): void {
  withGateway(
    withOutput(
      recordings
        .command("index")
        .summary("make what a recording is searched and played by")
        .description(
          "Makes the index of a recording, what a player begins from and the text that is searched, and the filter that narrows searches of all recordings. The gateway does it by itself soon after a session; an index can be made again at any time and proves nothing.",
        )
        .argument("[session-id]", "left out: of all recordings")
        .option("--rebuild", "also where there is one"),
    ),
  ).action(
    async (id: string | undefined, options: OutputOptions & GatewayOptions & { rebuild?: boolean }) => {
      const { client } = await connect(options, cli);
      const printer = printerFor(cli, options);
      const anew = options.rebuild === true;
      if (id !== undefined) {
        const made = await whileSaying("making the index", client.recordings.makeIndex(id, { anew }), cli);
        printer.thing(made, [
          ["index", made.isNew ? `${made.name}, made now` : `${made.name}, as it was`],
          ["keyframes", String(made.keyframes)],
          ["stored", formatBytes(made.bytes)],
        ]);
        return;
      }
      const counts = { made: 0, asTheyWere: 0, faults: [] as { sessionId: string; detail: string }[] };
      for await (const session of everyPage((cursor) =>
        client.sessions.list(cursor === undefined ? {} : { cursor }),
      )) {
        const isStored = session.recording.state === "stored" || session.recording.state === "held";
        if (!isStored) continue;
        try {
          const { isNew } = await whileSaying(
            `making indexes, ${counts.made + counts.asTheyWere} done`,
            client.recordings.makeIndex(session.id, { anew }),
            cli,
          );
          if (isNew) counts.made++;
          else counts.asTheyWere++;
        } catch (error) {
          counts.faults.push({ sessionId: session.id, detail: messageOf(error) });
        }
      }
      printer.thing(counts, [
        ["made", String(counts.made)],
        ["as they were", String(counts.asTheyWere)],
        ...counts.faults.map(({ sessionId, detail }) => ["fault", `${sessionId}: ${detail}`] as const),
      ]);
      if (counts.faults.length > 0) throw new SilentExit(exitCodes.failed);
    },
  );
}

function addCoverage(recordings: Command, cli: Cli): void {
  withGateway(
    withOutput(
      recordings
        .command("coverage")
        .summary("sessions against verified recordings")
        .description(
          "Counts sessions, and the recordings of them that were read back from the store and verified. Exit code 1 when not all of a recording can be vouched for.",
        )
        .option("--since <time>", "sessions started at this time or later (ISO 8601, or a date)")
        .option("--until <time>", "sessions started before this time"),
    ),
  ).action(async (options: OutputOptions & GatewayOptions & { since?: string; until?: string }) => {
    const { client } = await connect(options, cli);
    const coverage = await client.recordings.coverage({
      ...(options.since !== undefined && { from: timeOf(options.since) }),
      ...(options.until !== undefined && { to: timeOf(options.until) }),
    });
    const { recordings: counts, faults } = coverage;
    const printer = printerFor(cli, options);
    printer.thing(coverage, [
      ["sessions", String(coverage.sessions)],
      ["live", String(counts.recording)],
      ["on the way", String(counts.waiting)],
      [
        "verified",
        coverage.opensRecordings
          ? `${counts.verified}, frames of ${coverage.opened} decrypted too`
          : `${counts.verified}, by hashes, chain and signatures: this gateway holds no key that opens them`,
      ],
      ["not yet checked", String(counts.unchecked)],
      ["faulty", String(counts.faulty)],
      ["expired", String(counts.expired)],
      ["read again every", coverage.checkEvery],
      ["oldest check", coverage.oldestCheck === null ? undefined : printer.time(coverage.oldestCheck)],
      ...faults.map(({ sessionId, detail }) => ["fault", `${sessionId}: ${detail ?? "unknown"}`] as const),
    ]);
    if (counts.faulty > 0) throw new SilentExit(exitCodes.failed);
  });
}

async function exportTo(id: string, options: ExportOptions, cli: Cli): Promise<void> {
  const { client } = await connect(options, cli);
  const { fileName, chunks } = await client.recordings.export(id, options.format, {
    signal: cli.signal,
    film: filmCutOf(options),
  });
  // Only a film says how much there will be.
  const film = options.format === "gif" ? new FilmProgress() : undefined;
  const share = film && { share: () => film.share };
  if (options.output === "-") {
    const progress = createProgress({
      label: "exporting",
      totalBytes: undefined,
      ...share,
      clock: cli.clock,
      stderr: cli.stderr,
    });
    for await (const chunk of followed(chunks, film)) {
      progress.moved(chunk.length);
      await writeAll(cli.stdout, chunk);
    }
    progress.done();
    return;
  }
  const path = resolve(cli.workingDirectory, options.output ?? fileName);
  const to = { path, force: options.force === true, label: "exporting", ...share };
  cli.stderr.write(`${path}: ${formatBytes(await writeWhole(followed(chunks, film), to, cli))}\n`);
}

async function* followed(
  chunks: AsyncIterable<Uint8Array>,
  film: FilmProgress | undefined,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    film?.take(chunk);
    yield chunk;
  }
}

/** Whether they go with the format is the gateway's to say. */
function filmCutOf({ from, to, speed, idle }: ExportOptions): FilmCut {
  const times =
    speed === undefined ? undefined : Number(/^(\d+(?:\.\d+)?)x?$/.exec(speed)?.[1] ?? Number.NaN);
  if (Number.isNaN(times)) throw usage(`${speed} is no speed`, "Write 2x or 0.5x.");
  return {
    ...(from !== undefined && { fromUs: momentOf(from) }),
    ...(to !== undefined && { toUs: momentOf(to) }),
    ...(times !== undefined && { speed: times }),
    ...(idle !== undefined && { idleMaxMs: momentOf(idle) / 1000 }),
  };
}

function columnsOf(printer: Printer): Column<Session>[] {
  return [
    { title: "session", value: (session) => session.id },
    { title: "started", value: (session) => printer.time(session.startedAt) },
    { title: "took", value: durationOf, align: "right" },
    { title: "person", value: (session) => session.user.name, narrowTo: 8 },
    { title: "target", value: (session) => `${session.login}@${session.target.name}`, narrowTo: 10 },
    { title: "state", value: ({ recording }) => recording.state },
    { title: "frames", value: ({ recording }) => recording.frames?.toString() ?? "-", align: "right" },
    {
      title: "stored",
      value: ({ recording }) => (recording.bytes === null ? "-" : formatBytes(recording.bytes)),
      align: "right",
    },
  ];
}

import { resolve } from "node:path";
import type { AuditQuery } from "@gatehouse/contracts/rest";
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { type GatewayOptions, connect, withGateway } from "../connection/mod.ts";
import { SilentExit, createProgress, exitCodes, formatBytes, writeAll } from "../output/mod.ts";
import { type OutputOptions, printerFor, usage, withOutput } from "./options.ts";
import { type TrustedKeyOptions, trustedKeysOf, withTrustedKey } from "./public-key.ts";
import { writeWhole } from "./write-whole.ts";
import { firstOf, timeOf } from "./sessions.ts";

type Filters = {
  event?: string;
  user?: string;
  target?: string;
  session?: string;
  failed?: boolean;
  since?: string;
  until?: string;
};
type Options = OutputOptions & GatewayOptions & Filters;

export function addAudit(program: Command, cli: Cli): void {
  const audit = program.command("audit").summary("the audit log");
  withFilters(withOutput(audit.command("ls").summary("list events, newest first")))
    .option("-n, --limit <count>", "at most so many; 0 for all", "50")
    .addHelpText(
      "after",
      `\nExample:\n  $ ${cli.command} audit ls --event session. --user ada --since 2026-02-01`,
    )
    .action(async (options: Options & { limit: string }) => {
      const { client } = await connect(options, cli);
      const query = queryOf(options);
      const events = await firstOf(
        (cursor, limit) => client.audit.list({ ...query, ...(cursor && { cursor }), limit }),
        options.limit,
      );
      const printer = printerFor(cli, options);
      printer.list(
        events,
        [
          { title: "time", value: (event) => printer.time(event.time) },
          { title: "event", value: (event) => event.event },
          { title: "code", value: (event) => event.code },
          { title: "user", value: (event) => event.user, narrowTo: 8 },
          { title: "ok", value: (event) => (event.success ? "yes" : "NO") },
          { title: "target", value: (event) => event.target ?? "-", narrowTo: 8 },
          { title: "session", value: (event) => event.sessionId ?? "-", narrowTo: 8 },
          { title: "about", value: (event) => aboutOf(event.fields), narrowTo: 10 },
        ],
        "no events",
      );
    });

  withFilters(
    audit
      .command("export")
      .summary("take the log away as JSON lines")
      .description(
        "Prints every event that matches as it was hashed, the oldest first, one JSON object a line. The whole log ends with a line that the gateway signs: `audit verify --file` checks such a file without the gateway. With a filter there is none, and what comes proves nothing by itself.",
      )
      .option("-o, --output <file>", "where to, instead of standard output")
      .option("--force", "write over a file that is there"),
  ).action(async (options: GatewayOptions & Filters & { output?: string; force?: boolean }) => {
    const { client } = await connect(options, cli);
    const chunks = await client.audit.export(queryOf(options), { signal: cli.signal });
    if (options.output !== undefined) {
      const to = { path: resolve(cli.workingDirectory, options.output), force: options.force === true };
      const bytes = await writeWhole(chunks, { ...to, label: "exporting" }, cli);
      cli.stderr.write(`${to.path}: ${formatBytes(bytes)}\n`);
      return;
    }
    const progress = createProgress({
      label: "exporting",
      totalBytes: undefined,
      clock: cli.clock,
      stderr: cli.stderr,
    });
    for await (const chunk of chunks) {
      progress.moved(chunk.length);
      await writeAll(cli.stdout, chunk);
    }
    progress.done();
  });

  withGateway(
    withOutput(
      withTrustedKey(
        audit
          .command("verify")
          .summary("check the log's chain of hashes")
          .description(
            "Lets the gateway check its log, or with --file checks an export of the whole log here: every event's hash, the chain, and who signed where it ends. That needs no gateway and no network, and names what is wrong.",
          )
          .option("--file <file>", "an export to check, instead of asking the gateway")
          .option(
            "--head <index:hash>",
            "with --file: an event that was written down elsewhere and must be in it",
          ),
      ),
    ),
  ).action(
    async (
      options: OutputOptions & GatewayOptions & TrustedKeyOptions & { file?: string; head?: string },
    ) => {
      if (options.file !== undefined) return verifyFile(options.file, options, cli);
      const { client } = await connect(options, cli);
      const verification = await client.audit.verify();
      const printer = printerFor(cli, options);
      printer.thing(verification, [
        ["result", verification.ok ? "verified" : "NOT VERIFIED"],
        ["events", String(verification.events)],
        ["head", verification.headHash ?? undefined],
        ["checked", printer.time(verification.checkedAt)],
        ["fault", verification.firstFault ?? undefined],
      ]);
      if (!verification.ok) throw new SilentExit(exitCodes.failed);
    },
  );
}

async function verifyFile(
  file: string,
  options: OutputOptions & TrustedKeyOptions & { head?: string },
  cli: Cli,
): Promise<void> {
  const trustedKeys = await trustedKeysOf(options, cli.workingDirectory);
  const head = options.head === undefined ? undefined : headOf(options.head);
  const { verifyAuditFile } = await import("./audit-file.ts");
  const { verdict } = await verifyAuditFile(file, { trustedKeys, head }, cli);
  const printer = printerFor(cli, options);
  const { signedBy, signedAt } = verdict;
  const whose = trustedKeys.length > 0 ? ", which you trust" : "";
  printer.thing(verdict, [
    ["result", verdict.ok ? "verified" : "NOT VERIFIED"],
    ["events", String(verdict.events)],
    ["head", verdict.headHash ?? undefined],
    [
      "signed",
      signedBy === null
        ? "by nobody: events may be missing at its end"
        : `at ${printer.time(signedAt)} by ${signedBy}${whose}`,
    ],
    ...verdict.faults.map((fault) => ["fault", fault] as const),
  ]);
  if (printer.format === "text" && signedBy !== null && trustedKeys.length === 0)
    cli.stderr.write(
      `note: no trusted key was given; compare ${signedBy} with the gateway's own (\`${cli.command} ca recordings\`) before you rely on this.\n`,
    );
  if (!verdict.ok) throw new SilentExit(exitCodes.failed);
}

function headOf(text: string): { index: number; hash: string } {
  const [, index, hash = ""] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (index === undefined)
    throw usage("--head expects an index, a colon and a SHA-256 of 64 hexadecimal digits");
  return { index: Number(index), hash };
}

function withFilters(command: Command): Command {
  return withGateway(command)
    .option("--event <name>", "this event, or those that begin so where it ends in a dot: session.")
    .option("--user <name>", "by this person")
    .option("--target <id>", "about this target")
    .option("--session <id>", "about this session")
    .option("--failed", "only what did not succeed")
    .option("--since <time>", "at this time or later (ISO 8601, or a date)")
    .option("--until <time>", "before this time");
}

function queryOf(options: Filters): AuditQuery {
  return {
    ...(options.event !== undefined && { event: options.event }),
    ...(options.user !== undefined && { user: options.user }),
    ...(options.target !== undefined && { target: options.target }),
    ...(options.session !== undefined && { session: options.session }),
    ...(options.failed && { success: "false" as const }),
    ...(options.since !== undefined && { from: timeOf(options.since) }),
    ...(options.until !== undefined && { to: timeOf(options.until) }),
  };
}

/** The event's own fields on one line. */
function aboutOf(fields: Readonly<Record<string, unknown>>): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" ");
}

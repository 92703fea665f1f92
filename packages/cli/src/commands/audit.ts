import { everyPage } from "@gatehouse/contracts/client";
import type { AuditQuery } from "@gatehouse/contracts/rest";
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { type GatewayOptions, connect, withGateway } from "../connection/mod.ts";
import { SilentExit, createProgress, exitCodes, writeAll } from "../output/mod.ts";
import { type OutputOptions, printerFor, withOutput } from "./options.ts";
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
      .summary("every event as JSON lines, on standard output")
      .description(
        "Prints every event that matches, newest first, one JSON object a line, on standard output.",
      ),
  ).action(async (options: GatewayOptions & Filters) => {
    const { client } = await connect(options, cli);
    const query = queryOf(options);
    const progress = createProgress({
      label: "exporting",
      totalBytes: undefined,
      clock: cli.clock,
      stderr: cli.stderr,
    });
    for await (const event of everyPage((cursor) =>
      client.audit.list({ ...query, ...(cursor && { cursor }), limit: 200 }, { signal: cli.signal }),
    )) {
      const line = `${JSON.stringify(event)}\n`;
      progress.moved(line.length);
      await writeAll(cli.stdout, line);
    }
    progress.done();
  });

  withGateway(withOutput(audit.command("verify").summary("check the log's chain of hashes"))).action(
    async (options: OutputOptions & GatewayOptions) => {
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

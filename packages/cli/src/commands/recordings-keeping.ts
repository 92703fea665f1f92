import type { RetentionReport } from "@gatehouse/contracts/rest";
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { type GatewayOptions, connect, withGateway } from "../connection/mod.ts";
import { type Column, formatBytes } from "../output/mod.ts";
import { type OutputOptions, printerFor, withOutput } from "./options.ts";
import { timeOf } from "./sessions.ts";

type Because = { reason: string };

/** For how long recordings are kept: what expires, and who holds what. */
export function addKeeping(recordings: Command, cli: Cli): void {
  withGateway(
    withOutput(
      recordings
        .command("hold")
        .summary("keep a recording whatever its retention")
        .argument("<session-id>")
        .requiredOption("--reason <text>", "why: it goes into the audit log")
        .option("--owner <name>", "who answers for it: a person, a department, a case. Left out: you"),
    ),
  ).action(async (id: string, options: OutputOptions & GatewayOptions & Because & { owner?: string }) => {
    const { client } = await connect(options, cli);
    const hold = await client.recordings.hold(id, {
      reason: options.reason,
      ...(options.owner !== undefined && { owner: options.owner }),
    });
    const printer = printerFor(cli, options);
    printer.thing(hold, [
      ["held", id],
      ["reason", hold.reason],
      ["owner", hold.owner],
      [
        "kept by",
        {
          backend: "the store",
          gatehouse: "Gatehouse alone",
          pending: "Gatehouse, until the store was asked",
        }[hold.keptBy],
      ],
    ]);
  });
  withGateway(
    recordings
      .command("release")
      .summary("lift a hold: the recording's retention counts again")
      .argument("<session-id>")
      .requiredOption("--reason <text>", "why: it goes into the audit log"),
  ).action(async (id: string, options: GatewayOptions & Because) => {
    const { client } = await connect(options, cli);
    await client.recordings.release(id, { reason: options.reason });
  });
  withGateway(
    withOutput(
      recordings
        .command("retention")
        .summary("what expires, without removing anything")
        .option("--until <time>", "up to this time (ISO 8601, or a date). Left out: now")
        .option(
          "--confirm-clock <reason>",
          "vouch for the gateway's clock as it stands, where it is not believed, so that what is due is removed again",
        ),
    ),
  ).action(async (options: OutputOptions & GatewayOptions & { until?: string; confirmClock?: string }) => {
    const { client } = await connect(options, cli);
    if (options.confirmClock !== undefined)
      await client.recordings.trustClock({ reason: options.confirmClock });
    const report = await client.recordings.retention(
      options.until === undefined ? {} : { until: timeOf(options.until) },
    );
    const printer = printerFor(cli, options);
    if (options.json) {
      printer.thing(report, []);
      return;
    }
    printer.list(
      report.items,
      columnsOf((iso) => printer.time(iso)),
      "nothing expires",
    );
    printer.thing(report, [
      ["expiring", `${report.recordings}, ${formatBytes(report.bytes)}`],
      ["sessions", `${report.metadata.sessions} of which nothing will be known any more`],
      ["audit log", `its first ${report.metadata.auditEvents} events go`],
      ["the clock", report.clock.detail === null ? undefined : `NOT BELIEVED: ${report.clock.detail}`],
    ]);
  });
}

function columnsOf(time: (iso: string) => string): Column<RetentionReport["items"][number]>[] {
  return [
    { title: "session", value: ({ sessionId }) => sessionId },
    { title: "user", value: ({ user }) => user },
    { title: "target", value: ({ target }) => target },
    { title: "kept until", value: ({ retainUntil }) => time(retainUntil) },
    { title: "size", value: ({ bytes }) => formatBytes(bytes) },
    { title: "state", value: ({ state, held }) => (held && state !== "held" ? `${state}, held` : state) },
  ];
}

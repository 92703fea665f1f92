import { everyPage } from "@gatehouse/contracts/client";
import type { Page, Recording, Session, SessionQuery } from "@gatehouse/contracts/rest";
import { type Command, Option } from "commander";
import type { Cli } from "../cli.ts";
import { type GatewayOptions, connect, withGateway } from "../connection/mod.ts";
import { type Column, type Printer, formatBytes, formatDuration } from "../output/mod.ts";
import { recordingStates } from "./recording-states.ts";
import { liveColumns, liveFields } from "./live-words.ts";
import { addModeration } from "./moderation.ts";
import { peopleFields, peopleOf } from "./session-people.ts";
import { type OutputOptions, printerFor, usage, withOutput } from "./options.ts";

type Filters = {
  user?: string;
  target?: string;
  state?: NonNullable<SessionQuery["state"]>;
  recording?: NonNullable<SessionQuery["recording"]>;
  live?: boolean;
  since?: string;
  until?: string;
  search?: string;
  limit: string;
};
export type ListOptions = OutputOptions & GatewayOptions & Filters;

export function addSessions(program: Command, cli: Cli): void {
  const sessions = program.command("sessions").summary("list, show, pause and end sessions");
  withFilters(sessions.command("ls").summary("list sessions, newest first"))
    .addOption(new Option("--live", "those that are live, and how it stands with them").conflicts("state"))
    .addHelpText(
      "after",
      `
Examples:
  $ ${cli.command} sessions ls --user ada --since 2026-02-01 --json
  $ ${cli.command} sessions ls --live`,
    )
    .action(async (options: ListOptions) => {
      const printer = printerFor(cli, options);
      const found = await listSessions(options, cli);
      if (options.live) printer.list(found, liveColumns(cli.clock.nowMs()), "nothing is live");
      else printer.list(found, columnsOf(printer), "no sessions");
    });
  withGateway(withOutput(sessions.command("show").summary("all that is known of a session")))
    .argument("<session-id>")
    .action(async (id: string, options: OutputOptions & GatewayOptions) => {
      const { client } = await connect(options, cli);
      const session = await client.sessions.get(id);
      const printer = printerFor(cli, options);
      const { retainUntil, lockedUntil, hold, removedAt } = await client.recordings.get(id);
      const keeping = { retainUntil, lockedUntil, hold, removedAt };
      const people = await peopleOf(session, client);
      printer.thing({ ...session, recording: { ...session.recording, ...keeping }, ...people }, [
        ...fieldsOf(session, printer),
        ...keepingFields(keeping, printer),
        ...peopleFields(session, people, printer),
      ]);
    });
  addModeration(sessions, cli);
}

type Keeping = Pick<Recording, "retainUntil" | "lockedUntil" | "hold" | "removedAt">;

export function withFilters(command: Command): Command {
  return withGateway(withOutput(command))
    .option("--user <name>", "of this person")
    .option("--target <name>", "to this target")
    .addOption(new Option("--state <state>", "in this state").choices(["live", "ended", "interrupted"]))
    .addOption(new Option("--recording <state>", "whose recording is in this state").choices(recordingStates))
    .option("--since <time>", "started at this time or later (ISO 8601, or a date)")
    .option("--until <time>", "started before this time")
    .option("--search <text>", "part of a person, login, target, address or command")
    .option("-n, --limit <count>", "at most so many; 0 for all", "50");
}

export async function listSessions(options: ListOptions, cli: Cli): Promise<Session[]> {
  const query: SessionQuery = {
    ...(options.user !== undefined && { user: options.user }),
    ...(options.target !== undefined && { target: options.target }),
    ...(options.state !== undefined && { state: options.state }),
    ...(options.recording !== undefined && { recording: options.recording }),
    ...(options.live && { state: "live" as const }),
    ...(options.since !== undefined && { from: timeOf(options.since) }),
    ...(options.until !== undefined && { to: timeOf(options.until) }),
    ...(options.search !== undefined && { q: options.search }),
  };
  const { client } = await connect(options, cli);
  return firstOf(
    (cursor, limit) => client.sessions.list({ ...query, ...(cursor && { cursor }), limit }),
    options.limit,
  );
}

const pageLimitMax = 200;

/** So many of a list as were asked for, in as few pages as it takes. */
export async function firstOf<T>(
  list: (cursor: string | undefined, limit: number) => Promise<Page<T>>,
  limitText: string,
): Promise<T[]> {
  if (!/^\d{1,9}$/.test(limitText)) throw usage(`--limit expects a number, and got ${limitText}`);
  const limit = Number(limitText) || Number.POSITIVE_INFINITY;
  const found: T[] = [];
  for await (const item of everyPage((cursor) =>
    list(cursor, Math.min(pageLimitMax, limit - found.length)),
  )) {
    found.push(item);
    if (found.length >= limit) break;
  }
  return found;
}

/** A time as people write it, in this machine's zone where it names none, as the API takes it. */
export function timeOf(text: string): string {
  // A bare date is midnight here; JavaScript alone would take it for midnight in UTC.
  const date = new Date(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00` : text.replace(" ", "T"));
  if (Number.isNaN(date.getTime()))
    throw usage(`${text} is no time`, "Write 2026-02-10, 2026-02-10 14:30 or 2026-02-10T14:30:00Z.");
  return date.toISOString();
}

function columnsOf(printer: Printer): Column<Session>[] {
  return [
    { title: "session", value: (session) => session.id },
    { title: "started", value: (session) => printer.time(session.startedAt) },
    { title: "took", value: (session) => durationOf(session), align: "right" },
    { title: "person", value: (session) => session.user.name, narrowTo: 8 },
    { title: "target", value: (session) => `${session.login}@${session.target.name}`, narrowTo: 10 },
    { title: "kind", value: (session) => session.kind, narrowTo: 5 },
    { title: "state", value: (session) => session.state },
    { title: "recording", value: (session) => session.recording.state },
    { title: "ended by", value: (session) => session.end?.reason ?? "-", narrowTo: 6 },
  ];
}

export function durationOf(session: Session): string {
  return session.durationMs === null ? "-" : formatDuration(session.durationMs);
}

/** Until when the recording is kept, and who holds it beyond that. */
function keepingFields(
  { retainUntil, lockedUntil, hold, removedAt }: Keeping,
  printer: Printer,
): [string, string | undefined][] {
  const when = (iso: string | null) => (iso === null ? undefined : printer.time(iso));
  return [
    ["kept until", when(retainUntil)],
    ["locked until", when(lockedUntil)],
    ["removed", when(removedAt)],
    ["held", hold ? `since ${printer.time(hold.since)} by ${hold.by}, for ${hold.owner}` : undefined],
    ["held for", hold?.reason],
  ];
}

function fieldsOf(session: Session, printer: Printer): [string, string | undefined][] {
  const { end, recording } = session;
  const exit = end?.exitSignal ?? end?.exitStatus?.toString();
  return [
    ["session", session.id],
    ["state", session.state],
    ["person", session.user.name],
    ["target", `${session.login}@${session.target.name} (${session.target.address})`],
    ["protocol", `${session.protocol}, ${session.kind}`],
    ["command", session.command ?? undefined],
    ["from", session.remoteAddress],
    ["client", session.client ?? undefined],
    ["gateway", session.gatewayId],
    ["started", printer.time(session.startedAt)],
    ["ended", session.endedAt === null ? undefined : printer.time(session.endedAt)],
    ["took", session.durationMs === null ? undefined : formatDuration(session.durationMs)],
    ...liveFields(session, printer),
    [
      "ended by",
      end ? [end.reason, end.detail, exit && `exit ${exit}`].filter(Boolean).join(", ") : undefined,
    ],
    ["recording", [recording.state, recording.detail].filter(Boolean).join(": ")],
    ["frames", recording.frames?.toString()],
    ["stored", recording.bytes === null ? undefined : formatBytes(recording.bytes)],
    ["head", recording.headSha256 ?? undefined],
  ];
}

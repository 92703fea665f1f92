import type { Session } from "@gatehouse/contracts/rest";
import { type Column, type Printer, formatDuration } from "../output/mod.ts";

/** What an analyst wants to know of a session before opening it. */
export function liveColumns(nowMs: number): Column<Session>[] {
  const since = (iso: string) => formatDuration(Math.max(0, nowMs - Date.parse(iso)));
  return [
    { title: "session", value: (session) => session.id },
    { title: "since", value: (session) => since(session.startedAt), align: "right" },
    {
      title: "idle",
      value: ({ live }) => (live ? since(live.lastActivityAt) : "-"),
      align: "right",
    },
    { title: "person", value: (session) => session.user.name, narrowTo: 8 },
    { title: "target", value: (session) => `${session.login}@${session.target.name}`, narrowTo: 10 },
    { title: "kind", value: (session) => session.kind, narrowTo: 5 },
    { title: "from", value: (session) => session.remoteAddress, narrowTo: 9 },
    { title: "state", value: stateOf, narrowTo: 12 },
    { title: "watched by", value: (session) => watchersOf(session).join(", ") || "-", narrowTo: 8 },
  ];
}

export function liveFields({ live }: Session, printer: Printer): [string, string | undefined][] {
  if (!live) return [];
  return [
    [
      "paused",
      live.paused
        ? `by ${live.paused.by.name} since ${printer.time(live.paused.since)}: ${live.paused.reason}`
        : undefined,
    ],
    ["goes on", live.paused?.until ? printer.time(live.paused.until) : undefined],
    ["ends", live.endsAt === null ? undefined : printer.time(live.endsAt)],
    ["last activity", printer.time(live.lastActivityAt)],
    ["watched by", watchersOf({ live }).join(", ") || undefined],
    ...live.waiting.map(({ statement, rule, text, until, plan, planMissing }): [string, string] => [
      `statement ${statement}`,
      [
        `waits for an approval until ${printer.time(until)} (rule ${rule})`,
        text,
        plan ?? (planMissing === null ? "the plan is being asked for" : `no plan: ${planMissing}`),
      ].join("\n"),
    ]),
  ];
}

function stateOf({ live, gatewayId }: Session): string {
  // Of another gateway that shares the database: only that one knows more.
  if (!live) return `on ${gatewayId}`;
  if (live.isEnding || live.endsAt !== null) return "ending";
  if (live.waiting.length > 0) return "waits for approval";
  return live.paused ? `paused by ${live.paused.by.name}` : "live";
}

function watchersOf({ live }: Pick<Session, "live">): string[] {
  return [...new Set((live?.participants ?? []).map(({ user }) => user.name))];
}

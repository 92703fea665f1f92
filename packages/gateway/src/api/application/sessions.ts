import type { Session, SessionEvent, SessionQuery } from "@gatehouse/contracts/rest";
import { momentWithin } from "@gatehouse/contracts/session-words";
import { type AuditHistory, openEvents } from "../../audit/mod.ts";
import type {
  Resources,
  SessionEntries,
  SessionEntry,
  SessionFilter,
  SessionState,
} from "../../directory/mod.ts";
import { openSessionStates } from "../../directory/mod.ts";
import type { SessionScope } from "../../access/mod.ts";
import type { SessionsDoor } from "../door.ts";
import { eventWords, eventsNamed } from "./audit.ts";
import { found, isoTime, pageRequest, wirePage } from "./page.ts";

const statesOf: Record<NonNullable<SessionQuery["state"]>, readonly SessionState[]> = {
  live: openSessionStates,
  ended: ["closed"],
  interrupted: ["interrupted"],
};

export function createSessionCatalogue({
  entries,
  resources,
  history,
}: {
  entries: Pick<SessionEntries, "byId" | "list">;
  resources: Pick<Resources, "ofSession">;
  history: Pick<AuditHistory, "list">;
}): SessionsDoor {
  return {
    async list(query, scope) {
      const page = await entries.list(filterOf(query, scope), pageRequest(query));
      return wirePage(page, wordsOf);
    },
    async get(id) {
      return wordsOf(found(await entries.byId(id), "session", id));
    },
    async events(id, query, { all }) {
      const entry = found(await entries.byId(id), "session", id);
      const named = query.event === undefined ? undefined : eventsNamed(query.event);
      const events = all ? named : (named ?? openEvents).filter((event) => openEvents.includes(event));
      const page = await history.list(
        { sessionId: id, ...(events && { events }), ...(!all && { success: true }) },
        pageRequest(query),
      );
      return wirePage(page, (logged) => eventOf(entry, eventWords(logged)));
    },
    async resourceOf(id) {
      return resources.ofSession(found(await entries.byId(id), "session", id));
    },
  };
}

function filterOf(query: SessionQuery, scope: SessionScope): SessionFilter {
  return {
    ...(scope !== "all" && {
      scope: { userId: scope.ownerId, teamIds: scope.teams, targets: scope.targets },
    }),
    ...(query.user !== undefined && { user: query.user }),
    ...(query.target !== undefined && { target: query.target }),
    ...(query.login !== undefined && { login: query.login }),
    ...(query.protocol !== undefined && { protocol: query.protocol }),
    ...(query.kind !== undefined && { kind: query.kind }),
    ...(query.state !== undefined && { states: statesOf[query.state] }),
    ...(query.recording !== undefined && { recordingState: query.recording }),
    ...(query.from !== undefined && { fromMs: Date.parse(query.from) }),
    ...(query.to !== undefined && { toMs: Date.parse(query.to) }),
    ...(query.q !== undefined && { text: query.q }),
  };
}

function eventOf(
  { facts, durationMs, endedAtMs }: SessionEntry,
  event: Omit<SessionEvent, "atUs">,
): SessionEvent {
  const atUs = momentWithin({ startedAtMs: Date.parse(facts.startedAt), endedAtMs }, Date.parse(event.time));
  // A session may end after the last that passed in it.
  const lastUs = durationMs === undefined ? Number.POSITIVE_INFINITY : durationMs * 1000;
  return { ...event, atUs: atUs === undefined ? null : Math.min(atUs, lastUs) };
}

function wordsOf(entry: SessionEntry): Session {
  const { facts } = entry;
  const ended = entry.endReason !== undefined;
  return {
    id: facts.sessionId,
    state: entry.state === "interrupted" ? "interrupted" : entry.state === "closed" ? "ended" : "live",
    protocol: facts.protocol,
    kind: facts.kind,
    track: facts.track,
    user: facts.user,
    login: facts.login,
    target: facts.target,
    remoteAddress: facts.remoteAddress,
    connectionId: facts.connectionId,
    client: facts.client ?? null,
    gatewayId: facts.gatewayId,
    command: facts.command ?? null,
    admission: entry.access
      ? {
          rule: entry.access.rule,
          requestId: entry.access.requestId ?? null,
          playbackApprovals: entry.access.approvals ?? 0,
          watermark: entry.access.watermark ?? false,
        }
      : null,
    startedAt: facts.startedAt,
    endedAt: entry.endedAtMs === undefined ? null : isoTime(entry.endedAtMs),
    durationMs: entry.durationMs ?? null,
    end: ended
      ? {
          reason: entry.endReason ?? "",
          detail: entry.endDetail ?? null,
          exitStatus: entry.exitStatus ?? null,
          exitSignal: entry.exitSignal ?? null,
        }
      : null,
    // Filled in for who asks, where it is live here.
    live: null,
    recording: {
      state: entry.recordingState,
      frames: entry.frames ?? null,
      bytes: entry.bytes ?? null,
      headSha256: entry.headSha256 ?? null,
      detail: entry.recordingDetail ?? null,
    },
  };
}

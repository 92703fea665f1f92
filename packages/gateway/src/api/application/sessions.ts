import type { Session, SessionQuery } from "@gatehouse/contracts/rest";
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
import { found, isoTime, pageRequest, wirePage } from "./page.ts";

const statesOf: Record<NonNullable<SessionQuery["state"]>, readonly SessionState[]> = {
  live: openSessionStates,
  ended: ["closed"],
  interrupted: ["interrupted"],
};

export function createSessionCatalogue({
  entries,
  resources,
}: {
  entries: Pick<SessionEntries, "byId" | "list">;
  resources: Pick<Resources, "ofSession">;
}): SessionsDoor {
  return {
    async list(query, scope) {
      const page = await entries.list(filterOf(query, scope), pageRequest(query));
      return wirePage(page, wordsOf);
    },
    async get(id) {
      return wordsOf(found(await entries.byId(id), "session", id));
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

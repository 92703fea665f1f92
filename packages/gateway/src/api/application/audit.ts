import { type LoggedEvent, eventCatalogue } from "@gatehouse/contracts";
import type { AuditEvent, AuditQuery } from "@gatehouse/contracts/rest";
import type { Clock } from "@gatehouse/kernel";
import type { AuditHistory } from "../../audit/mod.ts";
import type { AuditFilter } from "../../directory/mod.ts";
import type { AuditDoor } from "../door.ts";
import { isoTime, pageRequest, wirePage } from "./page.ts";

export function createAuditReader({
  history,
  clock,
}: {
  history: AuditHistory;
  clock: Pick<Clock, "nowMs">;
}): AuditDoor {
  return {
    async list(query) {
      return wirePage(await history.list(filterOf(query), pageRequest(query)), eventWords);
    },
    async verify() {
      const verdict = await history.verify();
      return {
        ok: verdict.ok,
        events: verdict.events,
        headHash: verdict.head?.hash ?? null,
        checkedAt: isoTime(clock.nowMs()),
        firstFault: verdict.faults[0]?.message ?? null,
      };
    },
  };
}

function filterOf(query: AuditQuery): AuditFilter {
  return {
    ...(query.event !== undefined && { events: eventsNamed(query.event) }),
    ...(query.user !== undefined && { user: query.user }),
    ...(query.target !== undefined && { serverId: query.target }),
    ...(query.session !== undefined && { sessionId: query.session }),
    ...(query.success !== undefined && { success: query.success === "true" }),
    ...(query.from !== undefined && { fromMs: Date.parse(query.from) }),
    ...(query.to !== undefined && { toMs: Date.parse(query.to) }),
  };
}

/** `session.` is every event that begins so. */
export function eventsNamed(wanted: string): readonly string[] {
  if (!wanted.endsWith(".")) return [wanted];
  return eventCatalogue.map(({ event }) => event).filter((event) => event.startsWith(wanted));
}

export function eventWords(logged: LoggedEvent): AuditEvent {
  const { index, uid, time, event, code, user, success, hash, ...rest } = logged;
  const {
    server_id,
    session_id,
    sid: _sid,
    prev_hash: _previous,
    "addr.remote": remoteAddress,
    ...fields
  } = rest;
  return {
    index,
    uid,
    time,
    event,
    code,
    user,
    success,
    remoteAddress: remoteAddress ?? null,
    target: server_id ?? null,
    sessionId: session_id ?? null,
    fields,
    hash,
  };
}

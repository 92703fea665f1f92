import { type LoggedEvent, eventCatalogue } from "@gatehouse/contracts";
import type { AuditEvent, AuditExportQuery } from "@gatehouse/contracts/rest";
import { type Clock, GatehouseError } from "@gatehouse/kernel";
import { type AnchorSigner, type AuditHistory, type AuditLog, signedHeadLine } from "../../audit/mod.ts";
import type { AuditFilter } from "../../directory/mod.ts";
import { requireAllowed } from "../decided.ts";
import type { AccessDoor, AuditDoor, Reader } from "../door.ts";
import { isoTime, pageRequest, wirePage } from "./page.ts";

/** How long a right that has ended is used on at most. */
const renewEveryMs = 5_000;

export function createAuditReader({
  history,
  audit,
  access,
  signer,
  clock,
}: {
  history: AuditHistory;
  audit: Pick<AuditLog, "append">;
  access: Pick<AccessDoor, "decide">;
  /** What this gateway signs with. */
  signer: AnchorSigner;
  clock: Pick<Clock, "nowMs">;
}): AuditDoor {
  async function* exported(query: AuditExportQuery, reader: Reader): AsyncGenerator<string> {
    const filter = filterOf(query);
    const isWhole = Object.keys(filter).length === 0;
    let askedMs = clock.nowMs();
    let last: string | undefined;
    for await (const line of history.exportLines(filter)) {
      if (reader.signal.aborted) return;
      if (clock.nowMs() - askedMs >= renewEveryMs) {
        const now = await reader.renew();
        if (!now) throw signedOut();
        requireAllowed(access, now, "audit.read");
        askedMs = clock.nowMs();
      }
      yield line;
      last = line;
    }
    if (!isWhole || last === undefined) return;
    const { index, hash } = JSON.parse(last) as { index: number; hash: string };
    yield await signedHeadLine({ index, hash, at: isoTime(clock.nowMs()) }, signer);
  }

  return {
    async export({ subject, channel, remoteAddress }, query, reader) {
      await audit.append({
        event: "audit.export",
        user: subject.name,
        success: true,
        ...(remoteAddress !== "" && { remoteAddress }),
        fields: { from: channel, filters: JSON.stringify(query) },
      });
      return exported(query, reader);
    },
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

function signedOut(): GatehouseError {
  return new GatehouseError({
    code: "denied",
    op: "audit.export",
    message: "you are not signed in any longer",
    hint: "Sign in, and take the log away again.",
  });
}

function filterOf(query: AuditExportQuery): AuditFilter {
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

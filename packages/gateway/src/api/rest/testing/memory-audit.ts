import type { AuditEvent, Page, Session } from "@gatehouse/contracts/rest";
import { type Clock, newId, systemRandom } from "@gatehouse/kernel";
import { createHash } from "node:crypto";
import type { AuditDoor, SessionsDoor } from "../../door.ts";
import { type Sample, sampleTargets } from "./sample-sessions.ts";

export type MemoryAudit = {
  door: AuditDoor;
  eventCount(): number;
  ofSession: SessionsDoor["events"];
  note(event: string, code: string, user: string, more?: Partial<AuditEvent>): void;
};

/** The log of what the samples went through. */
export function memoryAudit({
  samples,
  clock,
}: {
  samples: readonly Sample[];
  clock: Pick<Clock, "nowMs">;
}): MemoryAudit {
  const iso = (ms: number) => new Date(ms).toISOString();
  const events: AuditEvent[] = [];
  const note: MemoryAudit["note"] = (event, code, user, more = {}) => {
    const index = events.length + 1;
    events.push({
      index,
      uid: newId(clock.nowMs(), systemRandom),
      time: iso(clock.nowMs()),
      event,
      code,
      user,
      success: true,
      remoteAddress: "10.0.1.50",
      target: null,
      sessionId: null,
      fields: {},
      hash: createHash("sha256").update(`${index}`).digest("hex"),
      ...more,
    });
  };
  for (const { name, session } of samples.toReversed()) {
    const about = { sessionId: session.id, target: session.target.id };
    const after = (seconds: number) => ({
      ...about,
      time: iso(Date.parse(session.startedAt) + 1000 * seconds),
    });
    note("session.start", "T2000I", session.user.name, {
      ...about,
      time: session.startedAt,
      fields: { login: session.login, kind: session.kind, rule: "target-allows-person" },
    });
    if (name === "incident") {
      const owner = session.user.name;
      note("session.join", "T2001I", "sam", { ...after(75), fields: { owner, participant_id: "p1" } });
      note("session.leave", "T2003I", "sam", {
        ...after(93),
        fields: { owner, participant_id: "p1", duration_ms: 18_000 },
      });
    }
    if (session.endedAt)
      note("session.end", "T2004I", session.user.name, {
        ...about,
        time: session.endedAt,
        fields: { reason: session.end?.reason ?? "" },
      });
    if (name === "incident")
      note("session.recording.access", "T2012I", "otto", {
        ...after(3600),
        fields: {
          action: "play",
          from: "web",
          owner: session.user.name,
          rule: "all-recordings-for-reviewers",
        },
      });
  }
  note("session.rejected", "T1003W", "jane.doe", {
    success: false,
    target: sampleTargets[2].id,
    fields: { reason: "jane.doe may not open postgres on db-01 (deny-by-default)" },
  });

  return {
    note,
    eventCount: () => events.length,
    async ofSession(id, query, { all }) {
      const session = samples.find((one) => one.session.id === id)?.session;
      const fits = ({ sessionId, event }: AuditEvent) =>
        sessionId === id &&
        (all || !event.startsWith("session.recording.")) &&
        (query.event === undefined || isNamed(event, query.event));
      return pageOf(
        events
          .toReversed()
          .filter(fits)
          .map((one) => Object.assign({ atUs: session ? momentIn(session, one) : null }, one)),
        query,
      );
    },
    door: {
      async list(query) {
        const fits = (one: AuditEvent) =>
          (query.event === undefined || isNamed(one.event, query.event)) &&
          (query.user === undefined || one.user === query.user) &&
          (query.target === undefined || one.target === query.target) &&
          (query.session === undefined || one.sessionId === query.session) &&
          (query.success === undefined || String(one.success) === query.success) &&
          (query.from === undefined || one.time >= query.from) &&
          (query.to === undefined || one.time < query.to);
        return pageOf(events.toReversed().filter(fits), query);
      },
      async export() {
        return (async function* () {
          for (const event of events) yield `${JSON.stringify(event)}\n`;
        })();
      },
      verify: async () => ({
        ok: true,
        events: events.length,
        headHash: events.at(-1)?.hash ?? null,
        checkedAt: iso(clock.nowMs()),
        firstFault: null,
      }),
    },
  };
}

/** `session.` is every event that begins so. */
function isNamed(event: string, wanted: string): boolean {
  return wanted.endsWith(".") ? event.startsWith(wanted) : event === wanted;
}

function momentIn({ startedAt, durationMs }: Session, { time }: AuditEvent): number | null {
  const atMs = Date.parse(time) - Date.parse(startedAt);
  return atMs >= 0 && (durationMs === null || atMs <= durationMs) ? atMs * 1000 : null;
}

export function pageOf<T>(all: readonly T[], query: { limit: number; cursor?: string | undefined }): Page<T> {
  const at = query.cursor === undefined ? 0 : Number(query.cursor);
  const end = at + query.limit;
  return { items: all.slice(at, end), next: end < all.length ? String(end) : null };
}

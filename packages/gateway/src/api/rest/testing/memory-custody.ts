import {
  type LegalHold,
  type Recording,
  type RecordingAlarms,
  type RecordingCoverage,
  type Session,
  keepingActions,
} from "@gatehouse/contracts/rest";
import { type Clock, GatehouseError } from "@gatehouse/kernel";
import { type Subject, decide } from "../../../access/mod.ts";
import { notRewrapped } from "../../../custody/mod.ts";
import type { CustodyDoor } from "../../door.ts";
import type { Sample } from "./sample-sessions.ts";

/** Who looks after the sample recordings. */
export function memoryCustody({
  samples,
  clock,
  audited,
}: {
  samples: readonly Sample[];
  clock: Pick<Clock, "nowMs">;
  audited: { event: string; user: string; sessionId?: string }[];
}): { door: CustodyDoor; raise(sessionId: string): void } {
  const alarms: RecordingAlarms["items"] = [];
  const sampleOf = (id: string) => samples.find((one) => one.session.id === id) ?? notFound("session");
  const iso = () => new Date(clock.nowMs()).toISOString();
  return {
    raise(sessionId) {
      const { user, target, startedAt, recording } = sampleOf(sessionId).session;
      alarms.unshift({
        sessionId,
        user: user.name,
        target: target.name,
        startedAt,
        state: recording.state,
        foundAt: iso(),
        detail: recording.detail ?? "it does not verify",
      });
    },
    door: {
      coverage: async () => sampleCoverage(samples.map((one) => one.session)),
      async retention({ until }) {
        const now = new Date(clock.nowMs()).toISOString();
        return {
          until: until ?? now,
          clock: { believed: true, detail: null },
          recordings: 0,
          bytes: 0,
          metadata: { sessions: 0, auditEvents: 0 },
          items: [],
        };
      },
      async rewrap(principal, { dryRun = false }) {
        const { name } = principal.subject;
        return { ...notRewrapped(), state: "done", dryRun, by: name, startedAt: iso(), endedAt: iso() };
      },
      rewrapping: () => notRewrapped(),
      async confirmClock() {},
      alarms: async () => ({ items: alarms }),
      async acknowledge(principal, id) {
        const at = alarms.findIndex(({ sessionId }) => sessionId === id);
        if (at < 0) notFound("alarm");
        alarms.splice(at, 1);
        audited.push({
          event: "session.recording.acknowledge",
          user: principal.subject.name,
          sessionId: id,
        });
      },
      async hold(principal, id, { reason, owner }) {
        const { name } = principal.subject;
        const hold: LegalHold = {
          reason,
          owner: owner ?? name,
          by: name,
          since: new Date(clock.nowMs()).toISOString(),
          keptBy: "backend",
        };
        const { session, recording } = sampleOf(id);
        recording.hold = hold;
        session.recording.state = "held";
        return hold;
      },
      async release(_principal, id) {
        const { session, recording } = sampleOf(id);
        recording.hold = null;
        session.recording.state = "stored";
      },
    },
  };
}

/** What somebody may do about a recording. */
export function mayKeep(subject: Subject, { user }: Session): Recording["may"] {
  const resource = { ownerId: user.id };
  return keepingActions.filter((action) => decide({ subject, action, resource, context: {} }).allowed);
}

function notFound(what: string): never {
  throw new GatehouseError({ code: "not_found", op: "memory", message: `there is no such ${what}` });
}

function sampleCoverage(sessions: readonly Session[]): RecordingCoverage {
  const among = (...states: Session["recording"]["state"][]) =>
    sessions.filter((session) => states.includes(session.recording.state));
  return {
    sessions: sessions.length,
    recordings: {
      recording: among("recording").length,
      waiting: among("shipping", "interrupted").length,
      verified: among("stored", "held").length,
      unchecked: 0,
      faulty: among("corrupt").length,
      expired: among("expired").length,
    },
    opened: among("stored", "held").length,
    opensRecordings: true,
    checkEvery: "30d",
    oldestCheck: sessions.at(-1)?.startedAt ?? null,
    faults: among("corrupt").map(({ id, startedAt, recording }) => ({
      sessionId: id,
      state: recording.state,
      startedAt,
      detail: recording.detail,
    })),
  };
}

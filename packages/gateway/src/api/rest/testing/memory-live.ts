import type { LiveState, Session, WaitingStatement } from "@gatehouse/contracts/rest";
import { type Clock, GatehouseError, newId, systemRandom, utf8 } from "@gatehouse/kernel";
import type { Frame, FrameKind } from "@gatehouse/recording";
import { decide } from "../../../access/mod.ts";
import { LiveHub } from "../../../sessions/live-hub.ts";
import { MemoryRecording } from "../../../sessions/testing/memory-recording.ts";
import type { ModerationDoor, Principal } from "../../door.ts";
import type { Sample } from "./sample-sessions.ts";

type Live = Omit<LiveState, "may" | "lastActivityAt"> & { recording: MemoryRecording; hub: LiveHub };

/** The live ones among the samples: they can be looked on at, paused and ended, and a test can make them say something. */
export type MemoryLive = {
  door: ModerationDoor;
  /** What the target prints now. */
  say(sessionId: string, text: string): void;
};

/** In a database's session a statement waits: a table is to be emptied. */
function waitingIn({ track, startedAt }: Session): WaitingStatement[] {
  if (track !== "query") return [];
  return [
    {
      statement: 41,
      rule: "emptying-tables",
      text: "delete from shop.payment_cards where created_at < $1\n$1 = '2025-11-26'",
      since: startedAt,
      until: new Date(Date.parse(startedAt) + 1_800_000).toISOString(),
      plan: [
        "Delete on payment_cards  (cost=0.00..2131.00 rows=0 width=0)",
        "  ->  Seq Scan on payment_cards  (cost=0.00..2131.00 rows=98412 width=6)",
        "        Filter: (created_at < '2025-11-26'::date)",
      ].join("\n"),
      planMissing: null,
    },
  ];
}

export function memoryLive({
  samples,
  clock,
  audited,
}: {
  samples: readonly Sample[];
  clock: Clock;
  audited: { event: string; user: string; sessionId?: string }[];
}): MemoryLive {
  const sessions = new Map<string, Live>();
  const iso = (ms: number) => new Date(ms).toISOString();
  for (const { session, frames } of samples) {
    if (session.state !== "live") continue;
    const elapsedUs = (clock.nowMs() - Date.parse(session.startedAt)) * 1000;
    // The sample's own frames: what is played afterwards is what was looked at.
    const recording = new MemoryRecording(clock, { elapsedUs, all: frames as Frame[] });
    sessions.set(session.id, {
      paused: null,
      endsAt: null,
      isEnding: false,
      participants: [],
      waiting: waitingIn(session),
      recording,
      hub: new LiveHub({ recording, clock }),
    });
  }

  const sampleOf = (id: string) => {
    const found = samples.find(({ session }) => session.id === id);
    if (!found)
      throw new GatehouseError({ code: "not_found", op: "memory", message: "there is no such session" });
    return found;
  };
  const may = ({ subject }: Principal, id: string): LiveState["may"] =>
    (["session.join", "session.pause", "session.terminate", "session.review"] as const).filter(
      (action) => decide({ subject, action, resource: { ownerId: sampleOf(id).session.user.id } }).allowed,
    );
  /** As the room would: decided, noted, and only what is live. */
  const admit = (
    principal: Principal,
    id: string,
    action: LiveState["may"][number],
    event: string = action,
  ): Live => {
    if (!may(principal, id).includes(action))
      throw new GatehouseError({
        code: "denied",
        op: "memory",
        message: `${principal.subject.name} may not do this`,
      });
    const live = sessions.get(id);
    if (!live)
      throw new GatehouseError({ code: "conflict", op: "memory", message: "this session has ended" });
    audited.push({ event, user: principal.subject.name, sessionId: id });
    return live;
  };
  const record = ({ recording }: Live, kind: FrameKind, data: unknown) =>
    recording.append(kind, 0, utf8(typeof data === "string" ? data : JSON.stringify(data)));
  const notice = (live: Live, text: string) => record(live, "notice", `\r\ngatehouse: ${text}.\r\n`);
  const nameOf = ({ subject: { id, name } }: Principal) => ({ id, name });

  const end = (id: string, live: Live, by: Principal, reason: string) => {
    const user = nameOf(by);
    notice(live, `${user.name} has ended this session (${reason})`);
    record(live, "session.end", { reason: "terminated", detail: reason, user });
    sessions.delete(id);
    live.recording.close();
    const { session } = sampleOf(id);
    session.state = "ended";
    session.endedAt = iso(clock.nowMs());
    session.durationMs = Math.round(live.recording.elapsedUs() / 1000);
    session.end = { reason: "terminated", detail: reason, exitStatus: null, exitSignal: null };
    session.recording.state = "shipping";
  };

  return {
    say: (id, text) => sessions.get(id)?.recording.append("output", 0, utf8(text)),
    door: {
      async state(principal, id) {
        const live = sessions.get(id);
        if (!live) return null;
        const { recording, hub: _hub, ...state } = live;
        const lastActivityAt = iso(
          Date.parse(sampleOf(id).session.startedAt) + (recording.all.at(-1)?.timeUs ?? 0) / 1000,
        );
        const allowed = may(principal, id);
        return {
          ...state,
          waiting: allowed.includes("session.review") ? state.waiting : [],
          lastActivityAt,
          may: allowed,
        };
      },
      async join(principal, id, { fromSeq, signal }) {
        const live = admit(principal, id, "session.join");
        const user = nameOf(principal);
        const participant = {
          id: newId(clock.nowMs(), systemRandom),
          user,
          mode: "observer" as const,
          joinedAt: iso(clock.nowMs()),
        };
        live.participants.push(participant);
        record(live, "join", { user, mode: "observer" });
        signal.addEventListener("abort", () => {
          live.participants = live.participants.filter((one) => one !== participant);
          audited.push({ event: "session.leave", user: user.name, sessionId: id });
          if (!live.recording.closed) record(live, "leave", { user, mode: "observer" });
        });
        return live.hub.observe(fromSeq, signal);
      },
      async pause(principal, id, { reason }) {
        const live = admit(principal, id, "session.pause");
        const by = nameOf(principal);
        live.paused = {
          by,
          reason,
          since: iso(clock.nowMs()),
          until: iso(clock.nowMs() + 1_800_000),
          discardedBytes: 0,
        };
        record(live, "pause", { user: by, reason, limitMs: 1_800_000 });
        notice(
          live,
          `${by.name} has paused your input (${reason}); nothing that you send passes until it goes on`,
        );
      },
      async resume(principal, id) {
        const live = admit(principal, id, "session.pause", "session.resume");
        live.paused = null;
        record(live, "resume", { user: nameOf(principal), discardedBytes: 0 });
        notice(live, "your input passes again");
      },
      async terminate(principal, id, { reason, warning, graceSeconds = 0 }) {
        const live = admit(principal, id, "session.terminate");
        record(live, "terminate", { user: nameOf(principal), reason, ...(warning && { warning }) });
        if (graceSeconds === 0) return end(id, live, principal, reason);
        live.endsAt = iso(clock.nowMs() + graceSeconds * 1000);
        notice(
          live,
          `${principal.subject.name} ends this session in ${graceSeconds} seconds (${warning ?? reason})`,
        );
        clock.after(graceSeconds * 1000, () => end(id, live, principal, reason));
      },
      async review(principal, id, statement, { decision }) {
        const live = admit(principal, id, "session.review", "db.statement.review");
        if (!live.waiting.some((one) => one.statement === statement))
          throw new GatehouseError({
            code: "conflict",
            op: "memory",
            message: "it does not wait for a decision any more",
          });
        live.waiting = live.waiting.filter((one) => one.statement !== statement);
        notice(live, `${principal.subject.name} has ${decision === "approve" ? "approved" : "denied"} it`);
      },
    },
  };
}

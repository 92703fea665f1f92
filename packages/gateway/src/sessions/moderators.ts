import { type Clock, GatehouseError, messageOf } from "@gatehouse/kernel";
import { laneOf } from "@gatehouse/recording";
import type { Action, Decision, Question, Resource, Subject } from "../access/mod.ts";
import type { AuditLog } from "../audit/mod.ts";
import type { SessionEntries, SessionEntry } from "../directory/mod.ts";
import type { Actor, LiveSessions, LiveView, Termination } from "./live-door.ts";
import type { Sight } from "./live-hub.ts";

/** Who wants to act on somebody's session, as the transport proved it. */
export type Moderator = { subject: Subject; remoteAddress: string };

const moderationActions = ["session.join", "session.pause", "session.terminate"] as const satisfies Action[];
export type ModerationAction = (typeof moderationActions)[number];

/**
 * The levers of the live sessions for people: access is asked first, and a refusal is in the log. Every call rejects with
 * `not_found` for who may not see the session, exactly as for one that never was; with `denied` for who may see it and no
 * more; with `conflict` when it is not live here.
 */
export type Moderators = {
  /**
   * Looks on. What was typed is left out for who may not see it. `renew` gives the person as they are now: the right is asked
   * for again at intervals and at `rightsChanged`, and the sights end with `denied` when it is gone.
   */
  join(
    moderator: Moderator,
    sessionId: string,
    how: { fromSeq: number; signal: AbortSignal; renew: () => Promise<Subject | undefined> },
  ): Promise<AsyncIterable<Sight>>;
  pause(moderator: Moderator, sessionId: string, how: { reason: string; limitMs?: number }): Promise<void>;
  resume(moderator: Moderator, sessionId: string, how: { reason?: string }): Promise<void>;
  terminate(moderator: Moderator, sessionId: string, how: Omit<Termination, "by">): Promise<void>;
  /** How it stands with a session, and what this person may do to it. Undefined where it is not live here. */
  view(
    subject: Subject,
    sessionId: string,
  ): Promise<{ live: LiveView; may: readonly ModerationAction[] } | undefined>;
  /** Somebody's rights may be others now: whoever looks on is asked about again, at once. */
  rightsChanged(): void;
};

export type ModeratorsOptions = {
  live: LiveSessions;
  sessions: Pick<SessionEntries, "byId">;
  /** What access must know of a session. */
  resourceOf(session: Pick<SessionEntry, "facts">): Promise<Resource>;
  decide(question: Question): Decision;
  audit: Pick<AuditLog, "append">;
  clock: Clock;
  log: { warn(message: string, fields: Record<string, string | number>): void };
};

/** How often the right of somebody who looks on is asked for again. */
const renewEveryMs = 30_000;

export function createModerators(options: ModeratorsOptions): Moderators {
  const { live, sessions, resourceOf, decide, audit, clock, log } = options;
  /** Of everybody who looks on: asks again. */
  const checks = new Set<() => void>();

  const actor = ({ subject, remoteAddress }: Moderator): Actor => ({
    id: subject.id,
    name: subject.name,
    ...(remoteAddress !== "" && { remoteAddress }),
  });

  /** Resolves with what access knows of the session, or has written down who was refused what. */
  async function admit(
    moderator: Moderator,
    sessionId: string,
    action: ModerationAction,
    event: string = action,
  ): Promise<Resource> {
    const entry = await sessions.byId(sessionId);
    if (!entry) throw unknown(sessionId);
    const { subject } = moderator;
    const resource = await resourceOf(entry);
    const context = { remoteAddress: moderator.remoteAddress };
    const { allowed, rule } = decide({ subject, action, resource, context });
    if (!allowed) {
      await refuse(moderator, entry, event, rule);
      if (!decide({ subject, action: "session.view", resource, context }).allowed) throw unknown(sessionId);
      throw denied(`${subject.name} may not do this to this session (${action})`);
    }
    if (!live.get(sessionId)) throw notLive(entry);
    return resource;
  }

  function refuse(moderator: Moderator, { facts }: SessionEntry, event: string, rule: string): Promise<void> {
    return audit.append({
      event,
      user: moderator.subject.name,
      success: false,
      ...(moderator.remoteAddress !== "" && { remoteAddress: moderator.remoteAddress }),
      serverId: facts.target.id,
      sessionId: facts.sessionId,
      fields: {
        proto: facts.protocol,
        kind: facts.kind,
        login: facts.login,
        server_hostname: facts.target.name,
        server_addr: facts.target.address,
        owner: facts.user.name,
        rule,
      },
    });
  }

  /** Rejects when this person may not look on any longer, or when that cannot be known. */
  async function stillMay(
    renew: () => Promise<Subject | undefined>,
    sessionId: string,
    remoteAddress: string,
  ): Promise<void> {
    let subject: Subject | undefined;
    let entry: SessionEntry | undefined;
    let resource: Resource;
    try {
      [subject, entry] = await Promise.all([renew(), sessions.byId(sessionId)]);
      if (!subject || !entry) throw denied("you are not signed in any longer");
      resource = await resourceOf(entry);
    } catch (error) {
      if (error instanceof GatehouseError && error.code === "denied") throw error;
      log.warn("somebody who looks on at a session was let go, because their rights cannot be known", {
        session: sessionId,
        error: messageOf(error),
      });
      throw denied("it cannot be known now whether you may still look on");
    }
    if (!decide({ subject, action: "session.join", resource, context: { remoteAddress } }).allowed)
      throw denied("you may not look on at this session any longer");
  }

  return {
    async join(moderator, sessionId, { fromSeq, signal, renew }) {
      const resource = await admit(moderator, sessionId, "session.join");
      const { subject } = moderator;
      const withInput = decide({ subject, action: "recording.view_input", resource }).allowed;
      const gone = new AbortController();
      const state: { refusal?: unknown } = {};
      const check = () =>
        stillMay(renew, sessionId, moderator.remoteAddress).catch((error: unknown) => {
          state.refusal = error;
          gone.abort();
        });
      const onCheck = () => void check();
      let timer = clock.after(renewEveryMs, again);
      function again() {
        void check().then(() => {
          if (!gone.signal.aborted) timer = clock.after(renewEveryMs, again);
        });
      }
      checks.add(onCheck);
      gone.signal.addEventListener("abort", () => {
        timer.cancel();
        checks.delete(onCheck);
      });
      if (signal.aborted) gone.abort();
      else signal.addEventListener("abort", () => gone.abort(), { once: true });
      try {
        const sights = await live.observe(sessionId, { by: actor(moderator), fromSeq, signal: gone.signal });
        return shown(sights, { withInput, state, gone });
      } catch (error) {
        gone.abort();
        throw error;
      }
    },
    async pause(moderator, sessionId, how) {
      await admit(moderator, sessionId, "session.pause");
      await live.pause(sessionId, { by: actor(moderator), ...how });
    },
    async resume(moderator, sessionId, how) {
      await admit(moderator, sessionId, "session.pause", "session.resume");
      await live.resume(sessionId, { by: actor(moderator), ...how });
    },
    async terminate(moderator, sessionId, how) {
      await admit(moderator, sessionId, "session.terminate");
      const told = await live.terminate(sessionId, { by: actor(moderator), ...how });
      if (told.length === 0)
        throw new GatehouseError({
          code: "conflict",
          op: "session.moderate",
          message: "this session is already told to end, and not later than that",
        });
    },
    async view(subject, sessionId) {
      const view = live.get(sessionId);
      if (!view) return undefined;
      const resource = await resourceOf(view);
      return {
        live: view,
        may: moderationActions.filter((action) => decide({ subject, action, resource }).allowed),
      };
    },
    rightsChanged() {
      for (const check of checks) check();
    },
  };
}

async function* shown(
  sights: AsyncIterable<Sight>,
  { withInput, state, gone }: { withInput: boolean; state: { refusal?: unknown }; gone: AbortController },
): AsyncGenerator<Sight> {
  try {
    for await (const sight of sights) {
      if (state.refusal !== undefined) break;
      if (withInput || sight.what === "now") {
        yield sight;
        continue;
      }
      const frames = sight.frames.filter(({ kind }) => laneOf(kind) === "main");
      if (frames.length > 0) yield { what: "frames", frames };
    }
    if (state.refusal !== undefined) throw state.refusal;
  } finally {
    gone.abort();
  }
}

function unknown(sessionId: string): GatehouseError {
  return new GatehouseError({
    code: "not_found",
    op: "session.moderate",
    message: `there is no session ${sessionId}`,
  });
}
function denied(message: string): GatehouseError {
  return new GatehouseError({
    code: "denied",
    op: "session.moderate",
    message,
    hint: "Ask an administrator for a role that allows it.",
  });
}
function notLive({ facts, endReason }: SessionEntry): GatehouseError {
  return new GatehouseError({
    code: "conflict",
    op: "session.moderate",
    message:
      endReason === undefined
        ? `this session is not live on this gateway; it began on ${facts.gatewayId}`
        : "this session has ended",
    ...(endReason !== undefined && { hint: "Play its recording." }),
  });
}

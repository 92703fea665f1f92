import { GatehouseError } from "@gatehouse/kernel";
import { laneOf } from "@gatehouse/recording";
import type { Action, Decision, Question, Resource, Subject } from "../access/mod.ts";
import type { AuditLog } from "../audit/mod.ts";
import type { SessionEntries, SessionEntry } from "../directory/mod.ts";
import type { LastingRight, LastingRights } from "./lasting-rights.ts";
import type { Actor, LiveSessions, LiveView, Termination } from "./live-door.ts";
import type { Sight } from "./live-hub.ts";

/** Who wants to act on somebody's session, as the transport proved it. */
export type Moderator = { subject: Subject; remoteAddress: string };

const moderationActions = [
  "session.join",
  "session.pause",
  "session.terminate",
  "session.review",
] as const satisfies Action[];
export type ModerationAction = (typeof moderationActions)[number];

/**
 * The levers of the live sessions for people: access is asked first, and a refusal is in the log. Every call rejects with
 * `not_found` for who may not see the session, exactly as for one that never was; with `denied` for who may see it and no
 * more; with `conflict` when it is not live here.
 */
export type Moderators = {
  /**
   * Looks on. What was typed is left out for who may not see it. `renew` gives the person as they are now: the right is asked
   * for again as long as they look on, and the sights end with `denied` when it is gone.
   */
  join(
    moderator: Moderator,
    sessionId: string,
    how: { fromSeq: number; signal: AbortSignal; renew: () => Promise<Subject | undefined> },
  ): Promise<AsyncIterable<Sight>>;
  pause(moderator: Moderator, sessionId: string, how: { reason: string; limitMs?: number }): Promise<void>;
  resume(moderator: Moderator, sessionId: string, how: { reason?: string }): Promise<void>;
  terminate(moderator: Moderator, sessionId: string, how: Omit<Termination, "by">): Promise<void>;
  /** About a statement that waits; never about one's own. */
  review(
    moderator: Moderator,
    sessionId: string,
    statement: number,
    how: { decision: "approve" | "deny"; comment?: string },
  ): Promise<void>;
  /** How it stands with a session, and what this person may do to it. Undefined where it is not live here. */
  view(
    subject: Subject,
    sessionId: string,
  ): Promise<{ live: LiveView; may: readonly ModerationAction[] } | undefined>;
};

export type ModeratorsOptions = {
  live: LiveSessions;
  sessions: Pick<SessionEntries, "byId">;
  /** What access must know of a session. */
  resourceOf(session: Pick<SessionEntry, "facts">): Promise<Resource>;
  decide(question: Question): Decision;
  audit: Pick<AuditLog, "append">;
  rights: Pick<LastingRights, "watch">;
};

export function createModerators(options: ModeratorsOptions): Moderators {
  const { live, sessions, resourceOf, decide, audit, rights } = options;

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

  return {
    async join(moderator, sessionId, { fromSeq, signal, renew }) {
      const resource = await admit(moderator, sessionId, "session.join");
      const { subject } = moderator;
      const withInput = decide({ subject, action: "recording.view_input", resource }).allowed;
      const right = rights.watch({
        sessionId,
        actions: withInput ? ["session.join", "recording.view_input"] : ["session.join"],
        remoteAddress: moderator.remoteAddress,
        renew,
        gone: signal,
        lost: "you may not look on at this session any longer",
      });
      try {
        const sights = await live.observe(sessionId, {
          by: actor(moderator),
          fromSeq,
          signal: right.signal,
        });
        return shown(sights, withInput, right);
      } catch (error) {
        right.end();
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
    async review(moderator, sessionId, statement, how) {
      await admit(moderator, sessionId, "session.review", "db.statement.review");
      await live.review(sessionId, statement, { by: actor(moderator), ...how });
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
  };
}

async function* shown(
  sights: AsyncIterable<Sight>,
  withInput: boolean,
  right: LastingRight,
): AsyncGenerator<Sight> {
  try {
    for await (const sight of sights) {
      right.require();
      if (withInput || sight.what === "now") {
        yield sight;
        continue;
      }
      const frames = sight.frames.filter(({ kind }) => laneOf(kind) === "main");
      if (frames.length > 0) yield { what: "frames", frames };
    }
    right.require();
  } finally {
    right.end();
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

import type { LiveState } from "@gatehouse/contracts/rest";
import type { LiveView, Moderators, WaitingStatement } from "../../sessions/mod.ts";
import type { ModerationDoor } from "../door.ts";
import { isoTime } from "./page.ts";

/** The levers of the live sessions in the public words. Decided and audited by the room behind them. */
export function createModeration(moderators: Moderators): ModerationDoor {
  return {
    async state({ subject }, sessionId) {
      const found = await moderators.view(subject, sessionId);
      return found ? wordsOf(found.live, found.may) : null;
    },
    join: (principal, sessionId, { fromSeq, signal, renew }) =>
      moderators.join(principal, sessionId, {
        fromSeq,
        signal,
        renew: async () => (await renew())?.subject,
      }),
    pause: (principal, sessionId, { reason, limitSeconds }) =>
      moderators.pause(principal, sessionId, {
        reason,
        ...(limitSeconds !== undefined && { limitMs: limitSeconds * 1000 }),
      }),
    resume: (principal, sessionId, { reason }) =>
      moderators.resume(principal, sessionId, { ...(reason !== undefined && { reason }) }),
    terminate: (principal, sessionId, { reason, warning, graceSeconds }) =>
      moderators.terminate(principal, sessionId, {
        reason,
        ...(warning !== undefined && { warning }),
        ...(graceSeconds !== undefined && { graceMs: graceSeconds * 1000 }),
      }),
    review: (principal, sessionId, statement, { decision, comment }) =>
      moderators.review(principal, sessionId, statement, {
        decision,
        ...(comment !== undefined && { comment }),
      }),
  };
}

function wordsOf(
  { state, paused, endsAtMs, lastActivityMs, participants, waiting }: LiveView,
  may: readonly LiveState["may"][number][],
): LiveState {
  return {
    paused: paused
      ? {
          by: paused.by,
          reason: paused.reason,
          since: isoTime(paused.sinceMs),
          until: paused.untilMs === undefined ? null : isoTime(paused.untilMs),
          discardedBytes: paused.discardedBytes,
        }
      : null,
    endsAt: endsAtMs === undefined ? null : isoTime(endsAtMs),
    isEnding: state === "ending",
    lastActivityAt: isoTime(lastActivityMs),
    participants: participants.map(({ id, user, mode, joinedAtMs }) => ({
      id,
      user,
      mode,
      joinedAt: isoTime(joinedAtMs),
    })),
    waiting: may.includes("session.review") ? waiting.map(waitingWords) : [],
    may: [...may],
  };
}

function waitingWords({ statement, rule, text, sinceMs, untilMs, plan, planMissing }: WaitingStatement) {
  return {
    statement,
    rule,
    text,
    since: isoTime(sinceMs),
    until: isoTime(untilMs),
    plan: plan ?? null,
    planMissing: planMissing ?? null,
  };
}

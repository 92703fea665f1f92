import type { ServiceImpl } from "@connectrpc/connect";
import { SessionState, type SessionService } from "@gatehouse/contracts/grpc";
import {
  id,
  liveQuery,
  sessionEventQuery,
  sessionPause,
  sessionQuery,
  sessionResume,
  sessionTerminate,
  statementReview,
  type Session,
  type SessionEvent,
} from "@gatehouse/contracts/rest";
import type { Principal, RestDoors } from "../../door.ts";
import type { Sight } from "../../../sessions/mod.ts";
import { requireAllowed } from "../../decided.ts";
import { caller } from "../caller.ts";
import { frameWords, given, isoOf, secondsOf, sessionWords, stateWords } from "../words.ts";
import { eventWords } from "./audit.ts";
import { pageOf } from "./pages.ts";

function placedWords({ atUs, ...event }: SessionEvent) {
  return { event: eventWords(event), ...(atUs !== null && { atUs: BigInt(atUs) }) };
}

export function sessionService({
  sessions,
  access,
  moderation,
  playback,
}: Pick<RestDoors, "sessions" | "access" | "moderation" | "playback">): ServiceImpl<typeof SessionService> {
  const withLive = async (principal: Principal, session: Session) =>
    sessionWords(
      session.state === "live"
        ? { ...session, live: await moderation.state(principal, session.id) }
        : session,
    );
  const after = async (principal: Principal, sessionId: string, act: Promise<void>) => {
    await act;
    return { session: await withLive(principal, await sessions.get(sessionId)) };
  };

  return {
    async listSessions(request, context) {
      const { principal } = caller(context);
      requireAllowed(access, principal, "session.list");
      const { user, target, login, protocol, kind, text, recordingState, state, from, to } = request;
      const query = sessionQuery.parse({
        ...pageOf(request),
        ...given({ user, target, login, protocol, kind, q: text, recording: recordingState }),
        ...(state !== SessionState.UNSPECIFIED && { state: stateWords[state] ?? "unknown" }),
        ...(from && { from: isoOf(from) }),
        ...(to && { to: isoOf(to) }),
      });
      const { items, next } = await sessions.list(query, access.sessionScope(principal));
      return {
        sessions: await Promise.all(items.map((session) => withLive(principal, session))),
        nextPageToken: next ?? "",
      };
    },

    async getSession(request, context) {
      const { principal } = caller(context);
      const sessionId = id.parse(request.sessionId);
      requireAllowed(access, principal, "session.view", {
        resource: await sessions.resourceOf(sessionId),
        hidden: { what: "session", id: sessionId },
      });
      return { session: await withLive(principal, await sessions.get(sessionId)) };
    },

    async listSessionEvents(request, context) {
      const { principal } = caller(context);
      const sessionId = id.parse(request.sessionId);
      const resource = await sessions.resourceOf(sessionId);
      const hidden = { what: "session", id: sessionId };
      requireAllowed(access, principal, "session.view", { resource, hidden });
      const { allowed: all } = access.decide(principal, "audit.read", resource);
      const query = sessionEventQuery.parse({ ...pageOf(request), ...given({ event: request.event }) });
      const { items, next } = await sessions.events(sessionId, query, { all });
      return {
        events: items.map(placedWords),
        nextPageToken: next ?? "",
      };
    },

    // Decided and audited behind the door, each of them.
    async *watchSession(request, context) {
      const { principal, renew } = caller(context);
      const { fromSeq } = liveQuery.parse({ fromSeq: Number(request.fromSequence) });
      const { signal } = context;
      const sessionId = id.parse(request.sessionId);
      const sights = await moderation.join(principal, sessionId, {
        fromSeq,
        signal,
        renew,
      });
      const watermark = await playback.watermark(principal, sessionId);
      if (watermark !== undefined) yield { watermark };
      for await (const sight of sights) yield sightWords(sight);
    },

    pauseSession(request, context) {
      const { principal } = caller(context);
      const sessionId = id.parse(request.sessionId);
      const how = sessionPause.parse({
        reason: request.reason,
        ...(request.limit && { limitSeconds: secondsOf(request.limit) }),
      });
      return after(principal, sessionId, moderation.pause(principal, sessionId, how));
    },

    resumeSession(request, context) {
      const { principal } = caller(context);
      const sessionId = id.parse(request.sessionId);
      const how = sessionResume.parse(given({ reason: request.reason }));
      return after(principal, sessionId, moderation.resume(principal, sessionId, how));
    },

    terminateSession(request, context) {
      const { principal } = caller(context);
      const sessionId = id.parse(request.sessionId);
      const how = sessionTerminate.parse({
        reason: request.reason,
        ...given({ warning: request.warning }),
        ...(request.grace && { graceSeconds: secondsOf(request.grace) }),
      });
      return after(principal, sessionId, moderation.terminate(principal, sessionId, how));
    },

    reviewStatement(request, context) {
      const { principal } = caller(context);
      const sessionId = id.parse(request.sessionId);
      const how = statementReview.parse({
        decision: request.decision,
        ...given({ comment: request.comment }),
      });
      return after(
        principal,
        sessionId,
        moderation.review(principal, sessionId, Number(request.statement), how),
      );
    },
  };
}

function sightWords(sight: Sight) {
  if (sight.what === "frames") return { frames: sight.frames.map(frameWords) };
  const { elapsedUs, behindUs, resynced } = sight;
  return { now: { elapsedUs: BigInt(elapsedUs), behindUs: BigInt(behindUs), resynced } };
}

import {
  type Page,
  type Session,
  id,
  page,
  session,
  sessionEvent,
  sessionEventQuery,
  sessionQuery,
} from "@gatehouse/contracts/rest";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { principalOf } from "../access.ts";
import type { App } from "../app.ts";
import type { Principal, RestDoors } from "../../door.ts";
import { answers } from "./answers.ts";

const tags = ["sessions"];
const params = z.object({ sessionId: id });

export function sessionRoutes(
  app: App,
  { sessions, access, moderation }: Pick<RestDoors, "sessions" | "access" | "moderation">,
): void {
  /** With how it stands with it now, and what whoever asks may do to it. */
  const withLive = async (request: FastifyRequest, one: Session): Promise<Session> =>
    one.state === "live" ? { ...one, live: await moderation.state(principalOf(request), one.id) } : one;
  const allWithLive = async (request: FastifyRequest, listed: Promise<Page<Session>>) => {
    const { items, next } = await listed;
    return { items: await Promise.all(items.map((one) => withLive(request, one))), next };
  };

  app.get(
    "/sessions",
    {
      schema: {
        tags,
        summary: "List sessions, newest first",
        querystring: sessionQuery,
        response: answers(page(session)),
      },
      config: { access: { action: "session.list" } },
    },
    (request) =>
      allWithLive(request, sessions.list(request.query, access.sessionScope(principalOf(request)))),
  );

  const eventsFor = async (
    principal: Principal,
    sessionId: string,
    query: Parameters<RestDoors["sessions"]["events"]>[1],
  ) => {
    const resource = await sessions.resourceOf(sessionId);
    const { allowed: all } = access.decide(principal, "audit.read", resource);
    return sessions.events(sessionId, query, { all });
  };
  const viewed = {
    action: "session.view",
    hidden: "session",
    resource: (request: FastifyRequest) =>
      sessions.resourceOf((request.params as { sessionId: string }).sessionId),
  } as const;
  app.get(
    "/sessions/:sessionId",
    {
      schema: { tags, summary: "One session", params, response: answers(session) },
      config: { access: viewed },
    },
    (request) => sessions.get(request.params.sessionId).then((one) => withLive(request, one)),
  );

  app.get(
    "/sessions/:sessionId/events",
    {
      schema: {
        tags,
        summary: "Events of a session in the audit log, newest first",
        description:
          "Each with its moment in the recording. Who may not read the audit log sees of it what the person at the session knows: how it was let in, who looked on, paused and ended it, and what was decided about statements.",
        params,
        querystring: sessionEventQuery,
        response: answers(page(sessionEvent)),
      },
      config: { access: viewed },
    },
    (request) => eventsFor(principalOf(request), request.params.sessionId, request.query),
  );
}

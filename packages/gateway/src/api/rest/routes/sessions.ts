import { type Page, type Session, id, page, session, sessionQuery } from "@gatehouse/contracts/rest";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { principalOf } from "../access.ts";
import type { App } from "../app.ts";
import type { RestDoors } from "../../door.ts";
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

  app.get(
    "/sessions/:sessionId",
    {
      schema: { tags, summary: "One session", params, response: answers(session) },
      config: {
        access: {
          action: "session.view",
          hidden: "session",
          resource: (request) => sessions.resourceOf((request.params as { sessionId: string }).sessionId),
        },
      },
    },
    (request) => sessions.get(request.params.sessionId).then((one) => withLive(request, one)),
  );
}

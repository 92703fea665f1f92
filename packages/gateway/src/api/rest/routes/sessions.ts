import { id, page, session, sessionQuery } from "@gatehouse/contracts/rest";
import { z } from "zod";
import { principalOf } from "../access.ts";
import type { App } from "../app.ts";
import type { RestDoors } from "../door.ts";
import { answers } from "./answers.ts";

const tags = ["sessions"];
const params = z.object({ sessionId: id });

export function sessionRoutes(app: App, { sessions, access }: Pick<RestDoors, "sessions" | "access">): void {
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
    (request) => sessions.list(request.query, access.sessionScope(principalOf(request))),
  );

  app.get(
    "/sessions/:sessionId",
    {
      schema: { tags, summary: "One session", params, response: answers(session) },
      config: {
        access: {
          action: "session.view",
          resource: (request) => sessions.resourceOf((request.params as { sessionId: string }).sessionId),
        },
      },
    },
    (request) => sessions.get(request.params.sessionId),
  );
}

import { id, page, session, sessionQuery } from "@gatehouse/contracts/rest";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { principalOf } from "../access.ts";
import type { App } from "../app.ts";
import type { RestDoors, SessionScope } from "../door.ts";
import { answers } from "./answers.ts";

const tags = ["sessions"];
const params = z.object({ sessionId: id });

export function sessionRoutes(app: App, { sessions, access }: Pick<RestDoors, "sessions" | "access">): void {
  const scopeOf = (request: FastifyRequest): SessionScope => {
    const { subject } = principalOf(request);
    // Asked about a session of nobody in particular: only who may see everybody's is allowed.
    if (access.decide(subject, "session.view", {}).allowed) return "all";
    const teams = subject.leads.filter(
      (team) => access.decide(subject, "session.view", { ownerTeams: [team] }).allowed,
    );
    return { ownerId: subject.id, teams };
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
    (request) => sessions.list(request.query, scopeOf(request)),
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

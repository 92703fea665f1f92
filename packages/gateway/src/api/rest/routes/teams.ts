import { id, page, team, teamCreate, teamQuery, teamUpdate } from "@gatehouse/contracts/rest";
import { z } from "zod";
import type { RestDoors } from "../../door.ts";
import { principalOf } from "../access.ts";
import type { App } from "../app.ts";
import { answers, nothing } from "./answers.ts";

const tags = ["teams"];
const params = z.object({ teamId: id });

export function teamRoutes(app: App, { teams }: Pick<RestDoors, "teams">): void {
  const read = { access: { action: "team.read" } } as const;
  const write = { access: { action: "team.write" } } as const;

  app.get(
    "/teams",
    {
      schema: { tags, summary: "List teams", querystring: teamQuery, response: answers(page(team)) },
      config: read,
    },
    (request) => teams.list(request.query),
  );
  app.post(
    "/teams",
    {
      schema: { tags, summary: "Make a team", body: teamCreate, response: answers(team, 201) },
      config: write,
    },
    async (request, reply) => reply.code(201).send(await teams.create(principalOf(request), request.body)),
  );
  app.get(
    "/teams/:teamId",
    { schema: { tags, summary: "One team", params, response: answers(team) }, config: read },
    (request) => teams.get(request.params.teamId),
  );
  app.patch(
    "/teams/:teamId",
    {
      schema: { tags, summary: "Change a team", params, body: teamUpdate, response: answers(team) },
      config: write,
    },
    (request) => teams.update(principalOf(request), request.params.teamId, request.body),
  );
  app.delete(
    "/teams/:teamId",
    { schema: { tags, summary: "Dissolve a team", params, response: answers(nothing, 204) }, config: write },
    async (request, reply) => {
      await teams.remove(principalOf(request), request.params.teamId);
      return reply.code(204).send();
    },
  );
}

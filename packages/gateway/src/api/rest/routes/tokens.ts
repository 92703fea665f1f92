import {
  apiToken,
  apiTokenCreate,
  apiTokenMade,
  id,
  ownedToken,
  page,
  tokenQuery,
} from "@gatehouse/contracts/rest";
import { z } from "zod";
import type { RestDoors } from "../../door.ts";
import { principalOf } from "../access.ts";
import type { App } from "../app.ts";
import { answers, nothing } from "./answers.ts";

const tags = ["tokens"];
const params = z.object({ personId: id });

export function tokenRoutes(app: App, { tokens }: Pick<RestDoors, "tokens">): void {
  const write = { access: { action: "person.write", ownAction: "self.write" } } as const;

  app.get(
    "/tokens",
    {
      schema: {
        tags,
        summary: "Everybody's tokens for programs, newest first",
        querystring: tokenQuery,
        response: answers(page(ownedToken)),
      },
      config: { access: { action: "person.read" } },
    },
    (request) => tokens.all(request.query),
  );
  app.get(
    "/people/:personId/tokens",
    {
      schema: {
        tags,
        summary: "Their tokens for programs",
        params,
        response: answers(z.object({ items: z.array(apiToken) })),
      },
      config: { access: { action: "person.read", ownAction: "self.read" } },
    },
    (request) => tokens.list(request.params.personId),
  );
  app.post(
    "/people/:personId/tokens",
    {
      schema: {
        tags,
        summary: "Make a token for a program, shown once",
        params,
        body: apiTokenCreate,
        response: answers(apiTokenMade, 201),
      },
      config: write,
    },
    async (request, reply) =>
      reply.code(201).send(await tokens.create(principalOf(request), request.params.personId, request.body)),
  );
  app.delete(
    "/people/:personId/tokens/:tokenId",
    {
      schema: {
        tags,
        summary: "Revoke a token",
        params: z.object({ personId: id, tokenId: id }),
        response: answers(nothing, 204),
      },
      config: write,
    },
    async (request, reply) => {
      await tokens.remove(principalOf(request), request.params.personId, request.params.tokenId);
      return reply.code(204).send();
    },
  );
}

import { requestPolicy, role, roleName, roleWrite } from "@gatehouse/contracts/rest";
import { z } from "zod";
import type { RestDoors } from "../../door.ts";
import { principalOf } from "../access.ts";
import type { App } from "../app.ts";
import { answers, nothing } from "./answers.ts";

const tags = ["roles"];
const params = z.object({ roleName });

export function roleRoutes(app: App, { roles }: Pick<RestDoors, "roles">): void {
  const read = { access: { action: "role.read" } } as const;
  const write = { access: { action: "role.write" } } as const;

  app.get(
    "/roles",
    {
      schema: { tags, summary: "List roles", response: answers(z.object({ items: z.array(role) })) },
      config: read,
    },
    () => roles.list(),
  );
  app.get(
    "/roles/:roleName",
    { schema: { tags, summary: "One role", params, response: answers(role) }, config: read },
    (request) => roles.get(request.params.roleName),
  );
  app.put(
    "/roles/:roleName",
    {
      schema: {
        tags,
        summary: "Make a role of your own, or set the whole of it",
        params,
        body: roleWrite,
        response: answers(role),
      },
      config: write,
    },
    (request) => roles.set(principalOf(request), request.params.roleName, request.body),
  );
  app.put(
    "/roles/:roleName/requests",
    {
      schema: {
        tags,
        summary: "Let people ask for a role on these terms, built in or not",
        params,
        body: requestPolicy,
        response: answers(role),
      },
      config: write,
    },
    (request) => roles.setRequests(principalOf(request), request.params.roleName, request.body),
  );
  app.delete(
    "/roles/:roleName/requests",
    {
      schema: { tags, summary: "Let nobody ask for a role any more", params, response: answers(role) },
      config: write,
    },
    (request) => roles.setRequests(principalOf(request), request.params.roleName, undefined),
  );
  app.delete(
    "/roles/:roleName",
    {
      schema: { tags, summary: "Take a role away that nobody has", params, response: answers(nothing, 204) },
      config: write,
    },
    async (request, reply) => {
      await roles.remove(principalOf(request), request.params.roleName);
      return reply.code(204).send();
    },
  );
}

import { id, signInList, signInsEnded } from "@gatehouse/contracts/rest";
import { z } from "zod";
import type { RestDoors } from "../../door.ts";
import { principalOf } from "../access.ts";
import type { App } from "../app.ts";
import { answers, nothing } from "./answers.ts";

const tags = ["accounts"];

/** Sessions of the web pages and of command lines. */
export function signInRoutes(app: App, { signIns }: Pick<RestDoors, "signIns">): void {
  const write = { access: { action: "person.write", ownAction: "self.write" } } as const;

  app.get(
    "/people/:personId/sign-ins",
    {
      schema: {
        tags,
        summary: "Where somebody is signed in",
        params: z.object({ personId: id }),
        response: answers(signInList),
      },
      config: { access: { action: "person.read", ownAction: "self.read" } },
    },
    (request) => signIns.list(principalOf(request), request.params.personId),
  );
  app.delete(
    "/people/:personId/sign-ins/:signInId",
    {
      schema: {
        tags,
        summary: "End a sign-in",
        params: z.object({ personId: id, signInId: id }),
        response: answers(nothing, 204),
      },
      config: write,
    },
    async (request, reply) => {
      await signIns.end(principalOf(request), request.params.personId, request.params.signInId);
      return reply.code(204).send();
    },
  );
  app.delete(
    "/people/:personId/sign-ins",
    {
      schema: {
        tags,
        summary: "End all of somebody's sign-ins but the one that asks",
        params: z.object({ personId: id }),
        response: answers(signInsEnded),
      },
      config: write,
    },
    (request) => signIns.endOthers(principalOf(request), request.params.personId),
  );
}

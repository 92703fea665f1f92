import { id, passwordChange, signInFacts } from "@gatehouse/contracts/rest";
import { z } from "zod";
import type { RestDoors } from "../../door.ts";
import { principalOf } from "../access.ts";
import type { App } from "../app.ts";
import { answers, nothing } from "./answers.ts";

const tags = ["accounts"];
const params = z.object({ personId: id });

/** How people sign in. What only they themselves may change is under `/me`. */
export function accountRoutes(app: App, { accounts }: Pick<RestDoors, "accounts">): void {
  app.get(
    "/people/:personId/sign-in",
    {
      schema: { tags, summary: "How somebody can sign in", params, response: answers(signInFacts) },
      config: { access: { action: "person.read", ownAction: "self.read" } },
    },
    (request) => accounts.signInFacts(request.params.personId),
  );
  app.put(
    "/me/password",
    {
      schema: {
        tags,
        summary: "Set one's own password",
        body: passwordChange,
        response: answers(nothing, 204),
      },
      config: { access: { action: "self.write" } },
    },
    async (request, reply) => {
      await accounts.setPassword(principalOf(request), request.body);
      return reply.code(204).send();
    },
  );
  app.delete(
    "/people/:personId/password",
    {
      schema: { tags, summary: "Take a password away", params, response: answers(nothing, 204) },
      config: { access: { action: "person.write", ownAction: "self.write" } },
    },
    async (request, reply) => {
      await accounts.removePassword(principalOf(request), request.params.personId);
      return reply.code(204).send();
    },
  );
}

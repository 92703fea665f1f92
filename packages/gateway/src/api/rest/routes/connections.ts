import { connection, id } from "@gatehouse/contracts/rest";
import { z } from "zod";
import { principalOf } from "../access.ts";
import type { App } from "../app.ts";
import { targetScope } from "../../decided.ts";
import type { RestDoors } from "../../door.ts";
import { answers } from "./answers.ts";

const params = z.object({ targetId: id, login: z.string().min(1).max(128) });

export function connectionRoutes(
  app: App,
  { access, connections, targets }: Pick<RestDoors, "access" | "connections" | "targets">,
): void {
  app.post(
    "/targets/:targetId/logins/:login/connection",
    {
      schema: {
        tags: ["targets"],
        summary: "Get a short-lived way in for a client that signs in with a password",
        params,
        response: answers(connection, 201),
      },
      config: {
        access: {
          action: "session.open",
          resource: async (request) => {
            const { targetId, login } = request.params as z.infer<typeof params>;
            // A target that one may not know of is none.
            await targets.get(targetId, targetScope(access, principalOf(request)));
            return connections.resourceOf(targetId, login);
          },
        },
      },
    },
    async (request, reply) => {
      const { targetId, login } = request.params;
      return reply.code(201).send(await connections.open(principalOf(request), targetId, login));
    },
  );
}

import { connection, id } from "@gatehouse/contracts/rest";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import type { Resource } from "../../../access/mod.ts";
import { principalOf } from "../access.ts";
import type { App } from "../app.ts";
import { targetScope } from "../../decided.ts";
import type { RestDoors } from "../../door.ts";
import { answers } from "./answers.ts";

export const loginParams = z.object({ targetId: id, login: z.string().min(1).max(128) });

type Doors = Pick<RestDoors, "access" | "connections" | "targets">;

export function connectionRoutes(app: App, doors: Doors): void {
  app.post(
    "/targets/:targetId/logins/:login/connection",
    {
      schema: {
        tags: ["targets"],
        summary: "Get a short-lived way in for a client that signs in with a password",
        params: loginParams,
        response: answers(connection, 201),
      },
      config: {
        access: { action: "session.open", resource: (request) => resourceOfLogin(request, doors) },
      },
    },
    async (request, reply) => {
      const { targetId, login } = request.params;
      return reply.code(201).send(await doors.connections.open(principalOf(request), targetId, login));
    },
  );
}

/** What `session.open` is decided on, of the target and the login that the path names. */
export async function resourceOfLogin(
  request: FastifyRequest,
  { access, connections, targets }: Doors,
): Promise<Resource> {
  const { targetId, login } = request.params as z.infer<typeof loginParams>;
  // A target that one may not know of is none.
  await targets.get(targetId, targetScope(access, principalOf(request)));
  return connections.resourceOf(targetId, login);
}

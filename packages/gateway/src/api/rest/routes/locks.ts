import { id, lock, lockCreate, lockPreview, lockPreviewQuery, lockSet } from "@gatehouse/contracts/rest";
import { z } from "zod";
import type { RestDoors } from "../../door.ts";
import { principalOf } from "../access.ts";
import type { App } from "../app.ts";
import { answers, nothing } from "./answers.ts";

const tags = ["locks"];

export function lockRoutes(app: App, { locks }: Pick<RestDoors, "locks">): void {
  app.get(
    "/locks",
    {
      schema: {
        tags,
        summary: "Locks that are not over",
        response: answers(z.object({ items: z.array(lock) })),
      },
      config: { access: { action: "lock.read" } },
    },
    () => locks.list(),
  );
  app.get(
    "/locks/preview",
    {
      schema: {
        tags,
        summary: "What a lock would do now; nothing is locked by it",
        querystring: lockPreviewQuery,
        response: answers(lockPreview),
      },
      config: { access: { action: "lock.write" } },
    },
    (request) => locks.preview(principalOf(request), request.query),
  );
  app.post(
    "/locks",
    {
      schema: {
        tags,
        summary: "Lock somebody or something, and end the live sessions of it",
        body: lockCreate,
        response: answers(lockSet, 201),
      },
      config: { access: { action: "lock.write" } },
    },
    async (request, reply) => reply.code(201).send(await locks.create(principalOf(request), request.body)),
  );
  app.delete(
    "/locks/:lockId",
    {
      schema: {
        tags,
        summary: "Lift a lock",
        params: z.object({ lockId: id }),
        response: answers(nothing, 204),
      },
      config: { access: { action: "lock.write" } },
    },
    async (request, reply) => {
      await locks.remove(principalOf(request), request.params.lockId);
      return reply.code(204).send();
    },
  );
}

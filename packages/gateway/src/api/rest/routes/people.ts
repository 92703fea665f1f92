import {
  id,
  page,
  person,
  personCreate,
  personQuery,
  personUpdate,
  signInLink,
  sshKey,
  sshKeyAdd,
} from "@gatehouse/contracts/rest";
import { z } from "zod";
import { principalOf } from "../access.ts";
import type { App } from "../app.ts";
import type { RestDoors } from "../../door.ts";
import { answers, nothing } from "./answers.ts";

const tags = ["people"];
const params = z.object({ personId: id });
const keyParams = z.object({ personId: id, keyId: id });

export function peopleRoutes(app: App, { people }: Pick<RestDoors, "people">): void {
  const write = { access: { action: "person.write" } } as const;
  const readOwn = { access: { action: "person.read", ownAction: "self.read" } } as const;
  const writeOwn = { access: { action: "person.write", ownAction: "self.write" } } as const;

  app.get(
    "/people",
    {
      schema: { tags, summary: "List people", querystring: personQuery, response: answers(page(person)) },
      config: { access: { action: "person.read" } },
    },
    (request) => people.list(request.query),
  );
  app.post(
    "/people",
    {
      schema: { tags, summary: "Add a person", body: personCreate, response: answers(person, 201) },
      config: write,
    },
    async (request, reply) => reply.code(201).send(await people.create(principalOf(request), request.body)),
  );
  app.get(
    "/people/:personId",
    { schema: { tags, summary: "One person", params, response: answers(person) }, config: readOwn },
    (request) => people.get(request.params.personId),
  );
  app.patch(
    "/people/:personId",
    {
      schema: { tags, summary: "Change a person", params, body: personUpdate, response: answers(person) },
      config: write,
    },
    (request) => people.update(principalOf(request), request.params.personId, request.body),
  );
  app.post(
    "/people/:personId/sign-in-link",
    {
      schema: {
        tags,
        summary: "Make a one-time link to sign in, shown once",
        params,
        response: answers(signInLink, 201),
      },
      config: write,
    },
    async (request, reply) =>
      reply.code(201).send(await people.signInLink(principalOf(request), request.params.personId)),
  );

  app.get(
    "/people/:personId/ssh-keys",
    {
      schema: {
        tags,
        summary: "Their SSH keys",
        params,
        response: answers(z.object({ items: z.array(sshKey) })),
      },
      config: readOwn,
    },
    (request) => people.sshKeys(request.params.personId).then((keys) => ({ items: [...keys] })),
  );
  app.post(
    "/people/:personId/ssh-keys",
    {
      schema: {
        tags,
        summary: "Register an SSH public key",
        params,
        body: sshKeyAdd,
        response: answers(sshKey, 201),
      },
      config: writeOwn,
    },
    async (request, reply) =>
      reply
        .code(201)
        .send(
          await people.addSshKey(
            principalOf(request),
            request.params.personId,
            request.body.publicKey.trim(),
          ),
        ),
  );
  app.delete(
    "/people/:personId/ssh-keys/:keyId",
    {
      schema: { tags, summary: "Take an SSH key away", params: keyParams, response: answers(nothing, 204) },
      config: writeOwn,
    },
    async (request, reply) => {
      await people.removeSshKey(principalOf(request), request.params.personId, request.params.keyId);
      return reply.code(204).send();
    },
  );
}

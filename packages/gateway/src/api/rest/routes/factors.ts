import {
  factor,
  factorAdd,
  factorAdded,
  factorList,
  factorRename,
  id,
  passkeyOptions,
  recoveryCodes,
  totpOffer,
} from "@gatehouse/contracts/rest";
import { z } from "zod";
import { principalOf } from "../access.ts";
import type { App, AppOptions } from "../app.ts";
import { originOf } from "../security.ts";
import { answers, nothing } from "./answers.ts";

const tags = ["accounts"];

/** Second factors. What only they themselves may add is under `/me`. */
export function factorRoutes(app: App, { doors: { factors }, publicUrl }: AppOptions): void {
  const own = { access: { action: "self.write" } } as const;
  const write = { access: { action: "person.write", ownAction: "self.write" } } as const;

  app.get(
    "/people/:personId/factors",
    {
      schema: {
        tags,
        summary: "Their second factors",
        params: z.object({ personId: id }),
        response: answers(factorList),
      },
      config: { access: { action: "person.read", ownAction: "self.read" } },
    },
    (request) => factors.list(request.params.personId),
  );
  app.post(
    "/me/factors/totp",
    {
      schema: {
        tags,
        summary: "Ask for the secret of an authenticator app, shown once",
        description: "It is added by `POST /me/factors`, with a code that the app made of it.",
        response: answers(totpOffer, 201),
      },
      config: own,
    },
    async (request, reply) => reply.code(201).send(await factors.offerTotp(principalOf(request))),
  );
  app.post(
    "/me/factors/passkey",
    {
      schema: {
        tags,
        summary: "Ask for what a browser makes a passkey of",
        description: "It is added by `POST /me/factors`, with what the browser answers.",
        response: answers(passkeyOptions, 201),
      },
      config: own,
    },
    async (request, reply) =>
      reply.code(201).send(await factors.offerPasskey(principalOf(request), originOf(request, publicUrl))),
  );
  app.post(
    "/me/factors",
    {
      schema: {
        tags,
        summary: "Add a second factor of one's own",
        body: factorAdd,
        response: answers(factorAdded, 201),
      },
      config: own,
    },
    async (request, reply) => reply.code(201).send(await factors.add(principalOf(request), request.body)),
  );
  app.patch(
    "/me/factors/:factorId",
    {
      schema: {
        tags,
        summary: "Name a second factor of one's own",
        params: z.object({ factorId: id }),
        body: factorRename,
        response: answers(factor),
      },
      config: own,
    },
    (request) => factors.rename(principalOf(request), request.params.factorId, request.body),
  );
  app.post(
    "/me/recovery-codes",
    {
      schema: {
        tags,
        summary: "Make other recovery codes, shown once",
        response: answers(recoveryCodes, 201),
      },
      config: own,
    },
    async (request, reply) => reply.code(201).send(await factors.renewRecoveryCodes(principalOf(request))),
  );
  app.delete(
    "/people/:personId/factors/:factorId",
    {
      schema: {
        tags,
        summary: "Remove a second factor",
        params: z.object({ personId: id, factorId: id }),
        response: answers(nothing, 204),
      },
      config: write,
    },
    async (request, reply) => {
      await factors.remove(principalOf(request), request.params.personId, request.params.factorId);
      return reply.code(204).send();
    },
  );
  app.delete(
    "/people/:personId/factors",
    {
      schema: {
        tags,
        summary: "Remove all of somebody's second factors, and end their sign-ins",
        params: z.object({ personId: id }),
        response: answers(nothing, 204),
      },
      config: { access: { action: "person.write" } },
    },
    async (request, reply) => {
      await factors.reset(principalOf(request), request.params.personId);
      return reply.code(204).send();
    },
  );
}

import {
  credentialWrite,
  hostScan,
  hostTrust,
  id,
  page,
  target,
  targetCreate,
  targetQuery,
  targetUpdate,
} from "@gatehouse/contracts/rest";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { principalOf } from "../access.ts";
import type { App } from "../app.ts";
import { targetScope } from "../../decided.ts";
import type { RestDoors } from "../../door.ts";
import { answers, nothing } from "./answers.ts";

const tags = ["targets"];
const params = z.object({ targetId: id });
const loginParams = z.object({ targetId: id, login: z.string().min(1).max(128) });

export function targetRoutes(app: App, { targets, access }: Pick<RestDoors, "targets" | "access">): void {
  const write = { access: { action: "target.write" } } as const;
  const secret = { access: { action: "credential.write" } } as const;
  const trust = { access: { action: "target.trust" } } as const;

  const scopeOf = (request: FastifyRequest) => targetScope(access, principalOf(request));

  app.get(
    "/targets",
    {
      schema: { tags, summary: "List targets", querystring: targetQuery, response: answers(page(target)) },
      config: { access: { action: "target.list" } },
    },
    (request) => targets.list(request.query, scopeOf(request)),
  );
  app.post(
    "/targets",
    {
      schema: { tags, summary: "Add a target", body: targetCreate, response: answers(target, 201) },
      config: write,
    },
    async (request, reply) => reply.code(201).send(await targets.create(principalOf(request), request.body)),
  );
  app.get(
    "/targets/:targetId",
    {
      schema: { tags, summary: "One target", params, response: answers(target) },
      config: { access: { action: "target.list" } },
    },
    (request) => targets.get(request.params.targetId, scopeOf(request)),
  );
  app.patch(
    "/targets/:targetId",
    {
      schema: { tags, summary: "Change a target", params, body: targetUpdate, response: answers(target) },
      config: write,
    },
    (request) => targets.update(principalOf(request), request.params.targetId, request.body),
  );
  app.delete(
    "/targets/:targetId",
    {
      schema: {
        tags,
        summary: "Remove a target; sessions and recordings stay",
        params,
        response: answers(nothing, 204),
      },
      config: write,
    },
    async (request, reply) => {
      await targets.remove(principalOf(request), request.params.targetId);
      return reply.code(204).send();
    },
  );

  app.put(
    "/targets/:targetId/logins/:login/credential",
    {
      schema: {
        tags,
        summary: "Set what the gate proves itself with; it is never read back",
        params: loginParams,
        body: credentialWrite,
        response: answers(nothing, 204),
      },
      config: secret,
    },
    async (request, reply) => {
      const { targetId, login } = request.params;
      await targets.setCredential(principalOf(request), targetId, login, request.body);
      return reply.code(204).send();
    },
  );
  app.post(
    "/targets/:targetId/logins/:login/credential/rotate",
    {
      schema: {
        tags,
        summary: "Set a new secret once the target has let the gate in with it; until then the old one stays",
        params: loginParams,
        body: credentialWrite,
        response: answers(nothing, 204),
      },
      config: secret,
    },
    async (request, reply) => {
      const { targetId, login } = request.params;
      await targets.rotateCredential(principalOf(request), targetId, login, request.body);
      return reply.code(204).send();
    },
  );
  app.delete(
    "/targets/:targetId/logins/:login/credential",
    {
      schema: {
        tags,
        summary: "Take a credential away",
        params: loginParams,
        response: answers(nothing, 204),
      },
      config: secret,
    },
    async (request, reply) => {
      await targets.removeCredential(principalOf(request), request.params.targetId, request.params.login);
      return reply.code(204).send();
    },
  );

  app.post(
    "/targets/:targetId/host-keys/scan",
    {
      schema: {
        tags,
        summary: "See which host keys the target shows now; nothing is trusted by it",
        params,
        response: answers(hostScan),
      },
      config: trust,
    },
    (request) => targets.scanHostKeys(principalOf(request), request.params.targetId),
  );
  app.put(
    "/targets/:targetId/host-keys",
    {
      schema: {
        tags,
        summary: "Trust these host keys, and no others",
        params,
        body: hostTrust,
        response: answers(target),
      },
      config: trust,
    },
    (request) => targets.trustHostKeys(principalOf(request), request.params.targetId, request.body),
  );
}

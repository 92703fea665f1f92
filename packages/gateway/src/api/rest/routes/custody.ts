import {
  coverageQuery,
  holdCreate,
  holdRelease,
  id,
  legalHold,
  recordingCoverage,
  retentionQuery,
  retentionReport,
} from "@gatehouse/contracts/rest";
import { z } from "zod";
import type { RestDoors } from "../../door.ts";
import { principalOf } from "../access.ts";
import type { App } from "../app.ts";
import { answers, nothing } from "./answers.ts";

const tags = ["recordings"];
const params = z.object({ sessionId: id });

export function custodyRoutes(
  app: App,
  { custody, sessions }: Pick<RestDoors, "custody" | "sessions">,
): void {
  const holding = {
    access: {
      action: "recording.hold" as const,
      hidden: "session" as const,
      resource: (request: { params: unknown }) =>
        sessions.resourceOf((request.params as { sessionId: string }).sessionId),
    },
  };
  app.get(
    "/recordings/coverage",
    {
      schema: {
        tags,
        summary: "Sessions against verified recordings",
        querystring: coverageQuery,
        response: answers(recordingCoverage),
      },
      config: { access: { action: "health.read" } },
    },
    (request) => custody.coverage(request.query),
  );
  app.get(
    "/recordings/retention",
    {
      schema: {
        tags,
        summary: "What expires up to a moment; nothing is removed by asking",
        querystring: retentionQuery,
        response: answers(retentionReport),
      },
      config: { access: { action: "health.read" } },
    },
    (request) => custody.retention(request.query),
  );
  app.post(
    "/recordings/retention/clock",
    {
      schema: {
        tags,
        summary: "Vouch for the gateway's clock, so that what is due is removed again",
        body: holdRelease,
        response: answers(nothing, 204),
      },
      config: { access: { action: "retention.confirm" } },
    },
    async (request, reply) => {
      await custody.confirmClock(principalOf(request), request.body);
      return reply.code(204).send();
    },
  );
  app.post(
    "/recordings/:sessionId/hold",
    {
      schema: {
        tags,
        summary: "Keep a recording whatever its retention",
        params,
        body: holdCreate,
        response: answers(legalHold, 201),
      },
      config: holding,
    },
    async (request, reply) =>
      reply.code(201).send(await custody.hold(principalOf(request), request.params.sessionId, request.body)),
  );
  app.post(
    "/recordings/:sessionId/release",
    {
      schema: {
        tags,
        summary: "Lift the hold: the recording's retention counts again",
        params,
        body: holdRelease,
        response: answers(nothing, 204),
      },
      config: holding,
    },
    async (request, reply) => {
      await custody.release(principalOf(request), request.params.sessionId, request.body);
      return reply.code(204).send();
    },
  );
}

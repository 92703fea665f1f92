import {
  alarmAcknowledge,
  coverageQuery,
  holdCreate,
  holdRelease,
  id,
  legalHold,
  recordingAlarms,
  recordingCoverage,
  retentionQuery,
  retentionReport,
  rewrapping,
  rewrapStart,
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
  const acting = (action: "recording.hold" | "recording.acknowledge") => ({
    access: {
      action,
      hidden: "session" as const,
      resource: (request: { params: unknown }) =>
        sessions.resourceOf((request.params as { sessionId: string }).sessionId),
    },
  });
  app.get(
    "/recordings/alarms",
    {
      schema: {
        tags,
        summary: "Recordings that were found damaged, until somebody acknowledges it",
        response: answers(recordingAlarms),
      },
      config: { access: { action: "health.read" } },
    },
    () => custody.alarms(),
  );
  app.post(
    "/recordings/:sessionId/acknowledge",
    {
      schema: {
        tags,
        summary: "Take note that a recording was found damaged: its alarm is over",
        params,
        body: alarmAcknowledge,
        response: answers(nothing, 204),
      },
      config: acting("recording.acknowledge"),
    },
    async (request, reply) => {
      await custody.acknowledge(principalOf(request), request.params.sessionId, request.body);
      return reply.code(204).send();
    },
  );
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
  app.get(
    "/recordings/rewrap",
    {
      schema: {
        tags,
        summary: "Where wrapping recordings' keys again stands, or how it last ended",
        response: answers(rewrapping),
      },
      config: { access: { action: "health.read" } },
    },
    () => custody.rewrapping(),
  );
  app.post(
    "/recordings/rewrap",
    {
      schema: {
        tags,
        summary: "Wrap the keys of recordings again, for the recipients that are configured now",
        body: rewrapStart,
        response: answers(rewrapping),
      },
      config: { access: { action: "recording.rewrap" } },
    },
    (request) => custody.rewrap(principalOf(request), request.body),
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
      config: acting("recording.hold"),
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
      config: acting("recording.hold"),
    },
    async (request, reply) => {
      await custody.release(principalOf(request), request.params.sessionId, request.body);
      return reply.code(204).send();
    },
  );
}

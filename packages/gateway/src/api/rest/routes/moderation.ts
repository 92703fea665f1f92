import {
  frameLine,
  frameStreamContentType,
  id,
  liveQuery,
  session,
  sessionPause,
  sessionResume,
  sessionTerminate,
  statementReview,
} from "@gatehouse/contracts/rest";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { principalOf, renewalOf } from "../access.ts";
import type { App } from "../app.ts";
import type { Principal, RestDoors } from "../../door.ts";
import { compactSights, sightLines } from "../frame-response.ts";
import { goneSignal, lineContentType, sendStream, streamOf } from "../streams.ts";
import { answers } from "./answers.ts";

const tags = ["sessions"];
const params = z.object({ sessionId: id });
const statementParams = z.object({ sessionId: id, statement: z.coerce.number().int().min(1) });

export function moderationRoutes(
  app: App,
  { sessions, moderation }: Pick<RestDoors, "sessions" | "moderation">,
): void {
  /** Does it, and answers with the session as it is then. */
  const after = async (
    request: FastifyRequest,
    act: (principal: Principal, sessionId: string) => Promise<void>,
  ) => {
    const principal = principalOf(request);
    const { sessionId } = request.params as z.infer<typeof params>;
    await act(principal, sessionId);
    return { ...(await sessions.get(sessionId)), live: await moderation.state(principal, sessionId) };
  };

  app.get(
    "/sessions/:sessionId/live",
    {
      schema: {
        tags,
        summary: "Look on at a live session",
        description: `Its frames so far, then those that come, until it has ended: one JSON object a line, or the compact form for \`Accept: ${frameStreamContentType}\`. Records of the kind \`live.now\` between them say how late it is and how far behind you are. You are a participant as long as you read.`,
        params,
        querystring: liveQuery,
        produces: [lineContentType, frameStreamContentType],
        response: answers(frameLine),
      },
      config: { access: { action: "session.join", behind: "moderation" } },
    },
    async (request, reply) => {
      const sights = await moderation.join(principalOf(request), request.params.sessionId, {
        fromSeq: request.query.fromSeq,
        signal: goneSignal(reply),
        renew: renewalOf(request),
      });
      const isCompact = (request.headers.accept ?? "").includes(frameStreamContentType);
      // A proxy that gathers what it passes on would show the past.
      reply.header("x-accel-buffering", "no");
      return sendStream(
        reply,
        isCompact ? frameStreamContentType : lineContentType,
        await streamOf(isCompact ? compactSights(sights) : sightLines(sights)),
      );
    },
  );

  app.post(
    "/sessions/:sessionId/pause",
    {
      schema: {
        tags,
        summary: "Stop what the person sends; what the target sends goes on",
        params,
        body: sessionPause,
        response: answers(session),
      },
      config: { access: { action: "session.pause", behind: "moderation" } },
    },
    (request) =>
      after(request, (principal, sessionId) => moderation.pause(principal, sessionId, request.body)),
  );

  app.post(
    "/sessions/:sessionId/resume",
    {
      schema: {
        tags,
        summary: "Let what the person sends pass again",
        params,
        body: sessionResume,
        response: answers(session),
      },
      config: { access: { action: "session.pause", behind: "moderation" } },
    },
    (request) =>
      after(request, (principal, sessionId) => moderation.resume(principal, sessionId, request.body)),
  );

  app.post(
    "/sessions/:sessionId/terminate",
    {
      schema: {
        tags,
        summary: "End a session, at once or after a warning",
        params,
        body: sessionTerminate,
        response: answers(session),
      },
      config: { access: { action: "session.terminate", behind: "moderation" } },
    },
    (request) =>
      after(request, (principal, sessionId) => moderation.terminate(principal, sessionId, request.body)),
  );

  app.post(
    "/sessions/:sessionId/statements/:statement/review",
    {
      schema: {
        tags,
        summary: "Decide about a statement that waits for an approval",
        params: statementParams,
        body: statementReview,
        response: answers(session),
      },
      config: { access: { action: "session.review", behind: "moderation" } },
    },
    (request) =>
      after(request, (principal, sessionId) =>
        moderation.review(principal, sessionId, request.params.statement, request.body),
      ),
  );
}

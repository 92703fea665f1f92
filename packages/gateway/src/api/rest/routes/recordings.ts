import {
  exportQuery,
  frameLine,
  frameStreamContentType,
  framesQuery,
  id,
  indexMade,
  indexMake,
  recording,
  recordingHits,
  recordingOverview,
  recordingPictures,
  recordingScreen,
  recordingSearch,
  recordingText,
  screenQuery,
  textQuery,
  verification,
} from "@gatehouse/contracts/rest";
import { z } from "zod";
import { principalOf, readerOf } from "../access.ts";
import type { App } from "../app.ts";
import type { RestDoors } from "../../door.ts";
import { compactFrames, frameLines } from "../frame-response.ts";
import { names, partIn, tagIn } from "../ranges.ts";
import { lineContentType, sendStream, streamOf } from "../streams.ts";
import { answers } from "./answers.ts";

const tags = ["recordings"];
const params = z.object({ sessionId: id });

export function recordingRoutes(app: App, { playback }: Pick<RestDoors, "playback">): void {
  app.get(
    "/recordings/:sessionId",
    {
      schema: {
        tags,
        summary: "What is known of a recording without opening it",
        params,
        response: answers(recording),
      },
      config: { access: { action: "session.view", behind: "playback" } },
    },
    (request) => playback.get(principalOf(request), request.params.sessionId),
  );

  app.get(
    "/recordings/:sessionId/frames",
    {
      schema: {
        tags,
        summary: "Stream the frames of a window",
        description: `One JSON object a line, or the compact form for \`Accept: ${frameStreamContentType}\`. Both say at their end that it is the end: a stream without it was cut.`,
        params,
        querystring: framesQuery,
        produces: [lineContentType, frameStreamContentType],
        response: answers(frameLine),
      },
      config: { access: { action: "recording.play", behind: "playback" } },
    },
    async (request, reply) => {
      const { fromUs, toUs } = request.query;
      const frames = await playback.frames(
        principalOf(request),
        request.params.sessionId,
        toUs === undefined ? { fromUs } : { fromUs, toUs },
        readerOf(request, reply),
      );
      const isCompact = (request.headers.accept ?? "").includes(frameStreamContentType);
      const chunks = isCompact ? compactFrames(frames) : frameLines(frames);
      return sendStream(reply, isCompact ? frameStreamContentType : lineContentType, await streamOf(chunks));
    },
  );

  const played = { action: "recording.play", behind: "playback" } as const;
  app.get(
    "/recordings/:sessionId/index",
    {
      schema: {
        tags,
        summary: "A terminal's recording at a glance: activity, idle time, events",
        params,
        response: answers(recordingOverview),
      },
      config: { access: played },
    },
    (request) => playback.overview(principalOf(request), request.params.sessionId),
  );

  app.get(
    "/recordings/:sessionId/screen",
    {
      schema: {
        tags,
        summary: "Where to begin in order to show a moment",
        description:
          "The terminal's state at the last keyframe at or before the moment. Show it, then the frames from its `seq` on, which `frames?fromUs=` has from its `timeUs`.",
        params,
        querystring: screenQuery,
        response: answers(recordingScreen),
      },
      config: { access: played },
    },
    (request) => playback.screen(principalOf(request), request.params.sessionId, request.query),
  );

  app.get(
    "/recordings/:sessionId/text",
    {
      schema: {
        tags,
        summary: "A block of the lines that stood on the screen",
        params,
        querystring: textQuery,
        response: answers(recordingText),
      },
      config: { access: played },
    },
    (request) => playback.text(principalOf(request), request.params.sessionId, request.query),
  );

  app.get(
    "/recordings/:sessionId/pictures",
    {
      schema: {
        tags,
        summary: "Small pictures of the screen over time",
        params,
        response: answers(recordingPictures),
      },
      config: { access: played },
    },
    (request) => playback.pictures(principalOf(request), request.params.sessionId),
  );

  app.post(
    "/recordings/:sessionId/index",
    {
      schema: {
        tags,
        summary: "Make the index of a terminal's recording",
        params,
        body: indexMake,
        response: answers(indexMade),
      },
      config: { access: played },
    },
    (request) => playback.makeIndex(principalOf(request), request.params.sessionId, request.body),
  );

  app.post(
    "/recordings/:sessionId/search",
    {
      schema: {
        tags,
        summary: "Find text in a recording",
        description:
          "In what was shown, in the statements of a database session and, for who may see it, in what was typed. The terms go into the audit log.",
        params,
        body: recordingSearch,
        response: answers(recordingHits),
      },
      config: { access: played },
    },
    (request, reply) =>
      playback.search(principalOf(request), request.params.sessionId, request.body, readerOf(request, reply)),
  );

  app.get(
    "/recordings/:sessionId/export",
    {
      schema: {
        tags,
        summary: "Take a recording away",
        description:
          "What would be the same bytes once more has an `ETag`, and is given in part for `Range` with one range, under `If-Range` too: a download that broke off can go on. A `gif` is given whole: each part would cost making it. A bundle goes on as of its beginning, though the audit log has grown. Every request is an access, also one that is answered with 304.",
        params,
        querystring: exportQuery,
        response: answers(z.any()),
      },
      config: { access: { action: "recording.export", behind: "playback" } },
    },
    async (request, reply) => {
      const { range, "if-range": ifRange, "if-none-match": ifNoneMatch } = request.headers;
      const held = tagIn(ifRange as string | undefined);
      const { format, ...cut } = request.query;
      const { fileName, contentType, chunks, same } = await playback.export(
        principalOf(request),
        request.params.sessionId,
        format,
        readerOf(request, reply),
        { held, cut },
      );
      if (same) reply.header("etag", `"${same.tag}"`).header("accept-ranges", same.part ? "bytes" : "none");
      if (same && names(ifNoneMatch, same.tag)) return reply.code(304).send() as unknown as never;
      reply.header(
        "content-disposition",
        `attachment; filename="${fileName.replaceAll(/[^A-Za-z0-9._-]/g, "_")}"`,
      );
      // Without the tag nobody knows as of when the bundle is whose beginning they have.
      const isPart =
        range !== undefined && (ifRange === undefined ? format !== "bundle" : held === same?.tag);
      const asked = isPart ? partIn(range) : undefined;
      if (!same?.part || !asked) return sendStream(reply, contentType, await streamOf(chunks));
      const part = await same.part(asked);
      if (!part.range)
        return reply.code(416).header("content-range", `bytes */${part.bytes}`).send() as unknown as never;
      const { from, to } = part.range;
      reply
        .code(206)
        .header("content-range", `bytes ${from}-${to}/${part.bytes}`)
        .header("content-length", to + 1 - from);
      return sendStream(reply, contentType, await streamOf(part.chunks));
    },
  );

  app.post(
    "/recordings/:sessionId/verify",
    {
      schema: { tags, summary: "Check the stored bytes now", params, response: answers(verification) },
      config: { access: { action: "session.view", behind: "playback" } },
    },
    (request) => playback.verify(principalOf(request), request.params.sessionId),
  );
}

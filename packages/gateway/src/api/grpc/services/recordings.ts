import type { ServiceImpl } from "@connectrpc/connect";
import {
  type RecordingService,
  type SearchRecordingsRequest,
  VerifyRecordingResponse_CheckStatus,
} from "@gatehouse/contracts/grpc";
import {
  exportQuery,
  framesQuery,
  id,
  type Recording,
  recordingSearch,
  search,
  type RecordingHit,
  type Search,
  type SearchPage,
  type Verification,
  type WireFrame,
} from "@gatehouse/contracts/rest";
import { durationMs as msOf } from "@bufbuild/protobuf/wkt";
import { GatehouseError } from "@gatehouse/kernel";
import { requireAllowed } from "../../decided.ts";
import type { Principal, RestDoors } from "../../door.ts";
import { caller } from "../caller.ts";
import { durationOfMs, frameWords, given, isoOf, present, timestamp } from "../words.ts";

/** What goes into one message: of frames about so much, and of a file. */
const messageBytes = 64 * 1024;
const messageFramesMax = 1024;
/** Finds in one message. */
const pageFinds = 200;

const statusOf: Record<Verification["checks"][number]["status"], VerifyRecordingResponse_CheckStatus> = {
  ok: VerifyRecordingResponse_CheckStatus.OK,
  failed: VerifyRecordingResponse_CheckStatus.FAILED,
  absent: VerifyRecordingResponse_CheckStatus.ABSENT,
};

/** Each call is decided and audited behind the door, before its first message leaves. */
export function recordingService({
  playback,
  searching,
  access,
}: Pick<RestDoors, "playback" | "searching" | "access">): ServiceImpl<typeof RecordingService> {
  return {
    async getRecording(request, context) {
      const found = await playback.get(caller(context).principal, id.parse(request.sessionId));
      const { frames, bytes, segments, durationMs, hold } = found;
      return {
        recording: {
          sessionId: found.sessionId,
          state: found.state,
          format: found.format,
          startedAt: timestamp(found.startedAt),
          ...(durationMs !== null && { duration: durationOfMs(durationMs) }),
          ...(frames !== null && { frames: BigInt(frames) }),
          ...(bytes !== null && { bytes: BigInt(bytes) }),
          ...(segments !== null && { segments: BigInt(segments) }),
          ...present(found, ["headSha256", "signedBy", "watermark"]),
          recipients: [...found.recipients],
          withheld: [...found.withheld],
          ...moments(found),
          ...(hold !== null && { hold: { ...hold, since: timestamp(hold.since) } }),
          exports: [...found.exports],
        },
      };
    },

    async *streamFrames(request, context) {
      const { principal, renew } = caller(context);
      const { fromUs, toUs } = framesQuery.parse({
        fromUs: Number(request.fromUs),
        ...(request.toUs !== undefined && { toUs: Number(request.toUs) }),
      });
      const frames = await playback.frames(
        principal,
        id.parse(request.sessionId),
        toUs === undefined ? { fromUs } : { fromUs, toUs },
        { signal: context.signal, renew },
      );
      const watermark = await playback.watermark(principal, request.sessionId);
      if (watermark !== undefined) yield { watermark };
      for await (const some of together(frames)) yield { frames: some.map(frameWords) };
    },

    async *exportRecording(request, context) {
      const { principal, renew } = caller(context);
      const { fromUs, toUs, speed, idleMax } = request;
      const { format, ...cut } = exportQuery.parse({
        format: request.format,
        ...(fromUs !== undefined && { fromUs: Number(fromUs) }),
        ...(toUs !== undefined && { toUs: Number(toUs) }),
        ...(speed !== undefined && { speed }),
        ...(idleMax !== undefined && { idleMaxMs: msOf(idleMax) }),
      });
      const { fileName, contentType, chunks } = await playback.export(
        principal,
        id.parse(request.sessionId),
        format,
        { signal: context.signal, renew },
        { cut },
      );
      const watermark = await playback.watermark(principal, request.sessionId);
      yield { fileName, contentType, ...(watermark !== undefined && { watermark }) };
      for await (const chunk of chunks)
        for (let at = 0; at < chunk.length; at += messageBytes)
          yield { data: chunk.subarray(at, at + messageBytes) as Uint8Array<ArrayBuffer> };
    },

    async searchRecording(request, context) {
      const { principal, renew } = caller(context);
      const { text, sources, limit } = request;
      const looked = recordingSearch.parse({
        text,
        ...given({ mode: request.mode, cursor: request.cursor }),
        ...(sources.length > 0 && { sources }),
        ...(limit !== 0 && { limit }),
      });
      const { hits, isWhole, ...found } = await playback.search(
        principal,
        id.parse(request.sessionId),
        looked,
        { signal: context.signal, renew },
      );
      return {
        hits: hits.map(hitWords),
        isWhole,
        ...present(found, ["next", "watermark"]),
      };
    },

    async *searchRecordings(request, context) {
      const { renew } = caller(context);
      const question = questionOf(request);
      let left = request.limit === 0 ? Number.POSITIVE_INFINITY : request.limit;
      let next: string | null = request.cursor === "" ? null : request.cursor;
      do {
        const asking: Principal | undefined = await renew();
        if (!asking) throw nobodyNow();
        requireAllowed(access, asking, "session.list");
        const page: SearchPage = await searching.search(
          asking,
          { ...question, limit: Math.min(left, pageFinds), ...(next !== null && { cursor: next }) },
          { signal: context.signal, renew },
        );
        ({ next } = page);
        for (const { hits } of page.items) left -= hits.length;
        yield {
          found: page.items.map(foundWords),
          searched: BigInt(page.progress.searched),
          sessions: BigInt(page.progress.sessions),
          unread: BigInt(page.unread),
          ...present(page, ["next", "watermark"]),
        };
      } while (next !== null && left > 0 && !context.signal.aborted);
    },

    async verifyRecording(request, context) {
      const verdict = await playback.verify(caller(context).principal, id.parse(request.sessionId));
      return {
        ok: verdict.ok,
        checkedAt: timestamp(verdict.checkedAt),
        checks: verdict.checks.map(({ name, status, detail }) => ({
          name,
          status: statusOf[status],
          detail,
        })),
        ...(verdict.frames !== null && { frames: BigInt(verdict.frames) }),
        ...present(verdict, ["headSha256", "firstFault"]),
      };
    },
  };
}

function moments({ retainUntil, lockedUntil, removedAt }: Recording) {
  return {
    ...(retainUntil !== null && { retainUntil: timestamp(retainUntil) }),
    ...(lockedUntil !== null && { lockedUntil: timestamp(lockedUntil) }),
    ...(removedAt !== null && { removedAt: timestamp(removedAt) }),
  };
}

/** Throws where it is no question, so before anything is looked for. */
function questionOf(request: SearchRecordingsRequest): Search {
  const { text, mode, sources, user, team, target, login, protocol, kind, event, perSession } = request;
  const labels = Object.entries(request.labels).map(([name, { values }]) => [name, values] as const);
  const { limit: _limit, ...question } = search.parse({
    text,
    ...given({ mode, user, team, target, login, protocol, kind, event }),
    ...(sources.length > 0 && { sources }),
    ...(labels.length > 0 && { labels: Object.fromEntries(labels) }),
    ...(request.from && { from: isoOf(request.from) }),
    ...(request.to && { to: isoOf(request.to) }),
    ...(perSession !== 0 && { perSession }),
  });
  return question;
}

function nobodyNow(): GatehouseError {
  return new GatehouseError({
    code: "unauthenticated",
    op: "search",
    message: "you are not signed in any longer",
    hint: "Sign in again, and go on with the last `next`.",
  });
}

function hitWords({ timeUs, ...hit }: RecordingHit) {
  return { timeUs: BigInt(timeUs), ...hit };
}

function foundWords({ session, hits, more, isWhole }: SearchPage["items"][number]) {
  const { id: sessionId, user, login, target, kind, startedAt } = session;
  return {
    sessionId,
    user: user.name,
    login,
    target: target.name,
    kind,
    startedAt: timestamp(startedAt),
    hits: hits.map(hitWords),
    more,
    isWhole,
  };
}

/** Gathers small frames, so that a recording of keystrokes is not a message for each of them. */
async function* together(frames: AsyncIterable<WireFrame>): AsyncGenerator<WireFrame[]> {
  let some: WireFrame[] = [];
  let bytes = 0;
  for await (const frame of frames) {
    some.push(frame);
    bytes += frame.data.length;
    if (bytes < messageBytes && some.length < messageFramesMax) continue;
    yield some;
    some = [];
    bytes = 0;
  }
  if (some.length > 0) yield some;
}

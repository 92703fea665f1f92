import type { ServiceImpl } from "@connectrpc/connect";
import { type RecordingService, VerifyRecordingResponse_CheckStatus } from "@gatehouse/contracts/grpc";
import {
  exportQuery,
  framesQuery,
  id,
  type Recording,
  recordingSearch,
  type Verification,
  type WireFrame,
} from "@gatehouse/contracts/rest";
import type { RestDoors } from "../../door.ts";
import { caller } from "../caller.ts";
import { durationOfMs, frameWords, given, present, timestamp } from "../words.ts";

/** What goes into one message: of frames about so much, and of a file. */
const messageBytes = 64 * 1024;
const messageFramesMax = 1024;

const statusOf: Record<Verification["checks"][number]["status"], VerifyRecordingResponse_CheckStatus> = {
  ok: VerifyRecordingResponse_CheckStatus.OK,
  failed: VerifyRecordingResponse_CheckStatus.FAILED,
  absent: VerifyRecordingResponse_CheckStatus.ABSENT,
};

/** Each call is decided and audited behind the door, before its first message leaves. */
export function recordingService({
  playback,
}: Pick<RestDoors, "playback">): ServiceImpl<typeof RecordingService> {
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
          ...present(found, ["headSha256", "signedBy"]),
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
      for await (const some of together(frames)) yield { frames: some.map(frameWords) };
    },

    async *exportRecording(request, context) {
      const { principal, renew } = caller(context);
      const { format } = exportQuery.parse({ format: request.format });
      const { fileName, contentType, chunks } = await playback.export(
        principal,
        id.parse(request.sessionId),
        format,
        { signal: context.signal, renew },
      );
      yield { fileName, contentType };
      for await (const chunk of chunks)
        for (let at = 0; at < chunk.length; at += messageBytes)
          yield { data: chunk.subarray(at, at + messageBytes) as Uint8Array<ArrayBuffer> };
    },

    async searchRecording(request, context) {
      const { principal, renew } = caller(context);
      const { text, sources, limit } = request;
      const search = recordingSearch.parse({
        text,
        ...given({ mode: request.mode, cursor: request.cursor }),
        ...(sources.length > 0 && { sources }),
        ...(limit !== 0 && { limit }),
      });
      const { hits, isWhole, ...found } = await playback.search(
        principal,
        id.parse(request.sessionId),
        search,
        { signal: context.signal, renew },
      );
      return {
        hits: hits.map(({ timeUs, source, text: line, at, length }) => ({
          timeUs: BigInt(timeUs),
          source,
          text: line,
          at,
          length,
        })),
        isWhole,
        ...present(found, ["next"]),
      };
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

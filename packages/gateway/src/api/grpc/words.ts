import { type Duration, type Timestamp, timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { type FrameSchema, SessionState, type SessionSchema } from "@gatehouse/contracts/grpc";
import type { LiveState, Session, WireFrame } from "@gatehouse/contracts/rest";

/** Between the words of REST, which the doors speak, and those of the .proto files. */

export function timestamp(iso: string): Timestamp {
  return timestampFromDate(new Date(iso));
}
export function isoOf(time: Timestamp): string {
  return timestampDate(time).toISOString();
}
export function durationOfMs(ms: number): Pick<Duration, "seconds" | "nanos"> {
  const whole = Math.round(ms);
  return { seconds: BigInt(Math.floor(whole / 1000)), nanos: (whole % 1000) * 1_000_000 };
}
/** Rounded up: a limit that is asked for is never made longer than a second more, nor nothing at all. */
export function secondsOf({ seconds, nanos }: Pick<Duration, "seconds" | "nanos">): number {
  return Number(seconds) + (nanos > 0 ? 1 : 0);
}

export const stateWords = {
  [SessionState.LIVE]: "live",
  [SessionState.ENDED]: "ended",
  [SessionState.INTERRUPTED]: "interrupted",
} as const satisfies Partial<Record<SessionState, Session["state"]>>;
const stateOf: Record<Session["state"], SessionState> = {
  live: SessionState.LIVE,
  ended: SessionState.ENDED,
  interrupted: SessionState.INTERRUPTED,
};

export function frameWords(frame: WireFrame): MessageInitShape<typeof FrameSchema> {
  return {
    sequence: BigInt(frame.seq),
    timeUs: BigInt(frame.timeUs),
    kind: frame.kind,
    stream: frame.stream,
    // The library wants bytes over a buffer that nobody else shares; these are not changed by anybody.
    data: frame.data as Uint8Array<ArrayBuffer>,
  };
}

export function sessionWords(session: Session): MessageInitShape<typeof SessionSchema> {
  const { endedAt, durationMs, end, live, admission, recording, client, command } = session;
  return {
    id: session.id,
    state: stateOf[session.state],
    protocol: session.protocol,
    kind: session.kind,
    track: session.track,
    user: session.user,
    login: session.login,
    target: session.target,
    remoteAddress: session.remoteAddress,
    connectionId: session.connectionId,
    ...(client !== null && { client }),
    gatewayId: session.gatewayId,
    ...(command !== null && { command }),
    startedAt: timestamp(session.startedAt),
    ...(endedAt !== null && { endedAt: timestamp(endedAt) }),
    ...(durationMs !== null && { duration: durationOfMs(durationMs) }),
    ...(end && { end: { reason: end.reason, ...present(end, ["detail", "exitStatus", "exitSignal"]) } }),
    ...(live && { live: liveWords(live) }),
    ...(admission && { admission: admissionWords(admission) }),
    recording: {
      state: recording.state,
      ...(recording.frames !== null && { frames: BigInt(recording.frames) }),
      ...(recording.bytes !== null && { bytes: BigInt(recording.bytes) }),
      ...present(recording, ["headSha256", "detail"]),
    },
  };
}

function admissionWords({ requestId, ...admission }: NonNullable<Session["admission"]>) {
  return { ...admission, ...(requestId !== null && { requestId }) };
}

function liveWords({ paused, endsAt, isEnding, lastActivityAt, participants, waiting, may }: LiveState) {
  return {
    ...(paused && {
      pause: {
        by: paused.by,
        reason: paused.reason,
        since: timestamp(paused.since),
        ...(paused.until !== null && { until: timestamp(paused.until) }),
        discardedBytes: BigInt(paused.discardedBytes),
      },
    }),
    ...(endsAt !== null && { endsAt: timestamp(endsAt) }),
    ending: isEnding,
    lastActivityAt: timestamp(lastActivityAt),
    participants: participants.map(({ id, user, joinedAt }) => ({
      id,
      user,
      joinedAt: timestamp(joinedAt),
    })),
    may: [...may],
    waiting: waiting.map((one) => ({
      statement: BigInt(one.statement),
      rule: one.rule,
      text: one.text,
      since: timestamp(one.since),
      until: timestamp(one.until),
      ...present(one, ["plan", "planMissing"]),
    })),
  };
}

/** Those of the fields that are not null: what proto calls unset. */
export function present<T, K extends keyof T>(from: T, keys: readonly K[]): { [P in K]?: NonNullable<T[P]> } {
  const kept: { [P in K]?: NonNullable<T[P]> } = {};
  for (const key of keys) {
    const value = from[key];
    if (value !== null && value !== undefined) kept[key] = value as NonNullable<T[K]>;
  }
  return kept;
}

/** The fields that proto3 cannot leave out: an empty one was not given. */
export function given<T extends Record<string, string>>(fields: T): { [P in keyof T]?: string } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== "")) as {
    [P in keyof T]?: string;
  };
}

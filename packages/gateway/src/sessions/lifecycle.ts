import {
  type Clock,
  type Random,
  GatehouseError,
  isGatehouseError,
  messageOf,
  newId,
} from "@gatehouse/kernel";
import type { SessionFacts } from "@gatehouse/recording";
import type { RecordingChange, RecordingPipeline } from "@gatehouse/recording/pipeline";
import type { AuditLog } from "../audit/mod.ts";
import { type SessionEntries, everyItem, openSessionStates } from "../directory/mod.ts";
import type { LiveSessions } from "./live-door.ts";
import { LiveSession, type SessionLimits, type SessionOutcome } from "./live-session.ts";
import { type Admission, Moderation, type ModerationRules } from "./moderation.ts";
import type { Session, SessionRequest, Sessions } from "./session.ts";

export type SessionsOptions = {
  pipeline: Pick<
    RecordingPipeline,
    "open" | "recover" | "confirmRecovered" | "onState" | "admissible" | "growing"
  >;
  /** The sessions table. */
  rows: Pick<SessionEntries, "insert" | "setState" | "end" | "setRecording" | "byId" | "list">;
  audit: Pick<AuditLog, "append">;
  limits: SessionLimits;
  moderation: ModerationRules;
  clock: Clock;
  random: Random;
  gatewayId: string;
  /** For how long the recording of a session on this target is kept after its end. */
  retentionMsOf(target: SessionFacts["target"]): Promise<number>;
  /** Whether other gateways have sessions in the same table: theirs are live, and none of ours to close. */
  sharesRows: boolean;
  log: { error(message: string, fields: Record<string, string | number>): void };
};

/** The lifecycle with what the gateway itself needs of it. */
export type SessionsRoom = Sessions & {
  /** Once, at start, before anything is admitted: closes what a crash left open. Returns how many. */
  recover(): Promise<number>;
  /** Ends every live session and resolves when each is closed. */
  stop(): Promise<void>;
  /** Hears of each recording that is stored, once its session's row says so. */
  onStored(listener: () => void): void;
  readonly liveCount: number;
  readonly live: LiveSessions;
};

export function createSessions(options: SessionsOptions): SessionsRoom {
  const { pipeline, rows, audit, clock, random, log } = options;
  const live = new Map<string, LiveSession>();
  const admitting = new Set<Admission>();
  const moderation = new Moderation({
    live,
    admitting,
    rows,
    audit,
    pipeline,
    rules: options.moderation,
    clock,
    random,
    log,
  });
  const storedListeners: (() => void)[] = [];
  let stopping = false;

  const who = (facts: SessionFacts) => ({
    user: facts.user.name,
    remoteAddress: facts.remoteAddress,
    serverId: facts.target.id,
    sessionId: facts.sessionId,
  });
  const what = (facts: SessionFacts) => ({
    proto: facts.protocol,
    kind: facts.kind,
    login: facts.login,
    server_hostname: facts.target.name,
    server_addr: facts.target.address,
  });

  /** The states of one recording, each written when the one before is: a database with several connections keeps no order. */
  const noting = new Map<string, Promise<void>>();
  pipeline.onState((change) => {
    const { sessionId } = change;
    const before = noting.get(sessionId);
    const noted = before ? before.then(() => noteRecording(change)) : noteRecording(change);
    noting.set(sessionId, noted);
    void noted.then(() => noting.get(sessionId) === noted && noting.delete(sessionId));
  });

  async function noteRecording(change: RecordingChange): Promise<void> {
    try {
      const { sessionId, detail, ...row } = change;
      await rows.setRecording(sessionId, { ...row, ...(detail !== undefined && { detail }) });
      if (change.state === "stored") {
        for (const listener of storedListeners) listener();
        await audit.append({
          event: "session.upload",
          user: "system",
          success: true,
          sessionId,
          fields: { head_sha256: change.headSha256, frames: change.frames, bytes: change.bytes },
        });
      }
      if (change.state === "corrupt")
        await audit.append({
          event: "session.recording.corrupted",
          user: "system",
          success: false,
          sessionId,
          fields: { detail: detail ?? "" },
        });
    } catch (error) {
      log.error("a recording's state could not be noted", {
        session: change.sessionId,
        error: messageOf(error),
      });
    }
  }

  async function closed(facts: SessionFacts, outcome: SessionOutcome): Promise<void> {
    live.delete(facts.sessionId);
    const end = {
      state: "closed",
      endedAtMs: clock.nowMs(),
      durationMs: Math.round(outcome.durationUs / 1000),
      reason: outcome.reason,
      ...(outcome.detail !== undefined && { detail: outcome.detail }),
      ...(outcome.exitStatus !== undefined && { exitStatus: outcome.exitStatus }),
      ...(outcome.exitSignal !== undefined && { exitSignal: outcome.exitSignal }),
      ...outcome.recording,
    } as const;
    try {
      await rows.end(facts.sessionId, end);
      if (!outcome.recording) await rows.setRecording(facts.sessionId, { state: "interrupted" });
      await audit.append({
        event: "session.end",
        ...who(facts),
        success: true,
        fields: {
          ...what(facts),
          reason: outcome.reason,
          ...(outcome.detail !== undefined && { detail: outcome.detail }),
          ...(outcome.endedBy !== undefined && { ended_by: outcome.endedBy }),
          ...(outcome.exitStatus !== undefined && { exit_status: outcome.exitStatus }),
          ...(outcome.exitSignal !== undefined && { exit_signal: outcome.exitSignal }),
          session_start: facts.startedAt,
          session_stop: new Date(end.endedAtMs).toISOString(),
          duration_ms: end.durationMs,
          ...(outcome.recording && {
            head_sha256: outcome.recording.headSha256,
            frames: outcome.recording.frames,
            bytes: outcome.recording.bytes,
          }),
        },
      });
    } catch (error) {
      // The recording is sealed; the next start finds the row still live and writes the event then.
      log.error("a session's end could not be noted", { session: facts.sessionId, error: messageOf(error) });
    }
  }

  async function refuse(request: SessionRequest, sessionId: string, error: unknown): Promise<never> {
    const reason = messageOf(error);
    try {
      await audit.append({
        event: "session.rejected",
        user: request.user.name,
        remoteAddress: request.remoteAddress,
        serverId: request.target.id,
        sessionId,
        success: false,
        fields: {
          proto: request.protocol,
          kind: request.kind,
          login: request.login,
          server_hostname: request.target.name,
          server_addr: request.target.address,
          connection_id: request.connectionId,
          reason: isGatehouseError(error) ? error.code : "internal",
          message: reason,
        },
      });
    } catch (auditError) {
      // The audit log itself may be what failed; the operational log is then the only witness.
      log.error("session.rejected", {
        user: request.user.name,
        target: request.target.name,
        reason,
        audit: messageOf(auditError),
      });
    }
    if (isGatehouseError(error, "denied")) throw error;
    throw new GatehouseError({
      code: "recording_unavailable",
      op: "session.admit",
      message: `recording cannot be guaranteed (${reason}); nothing was opened`,
      cause: error,
    });
  }

  async function admit(request: SessionRequest): Promise<Session> {
    const nowMs = clock.nowMs();
    const { access, ...asked } = request;
    const facts: SessionFacts = {
      ...asked,
      sessionId: newId(nowMs, random),
      startedAt: new Date(nowMs).toISOString(),
      gatewayId: options.gatewayId,
    };
    const admission: Admission = { facts, access };
    admitting.add(admission);
    try {
      return await begin(request, admission);
    } finally {
      admitting.delete(admission);
    }
  }

  async function begin(request: SessionRequest, admission: Admission): Promise<Session> {
    const { facts, access } = admission;
    if (stopping)
      return refuse(
        request,
        facts.sessionId,
        new GatehouseError({ code: "unavailable", op: "session.admit", message: "the gate is stopping" }),
      );
    // Every dependency answers before the recording is opened, and the recording before anything is dialled: P2.
    let writer;
    try {
      // Before the row: what is refused here was no session, and no list shows a recording that never was.
      await pipeline.admissible();
      facts.retentionMs = await options.retentionMsOf(facts.target);
      await rows.insert(facts, access);
    } catch (error) {
      return refuse(request, facts.sessionId, error);
    }
    try {
      writer = await pipeline.open(facts);
      await audit.append({
        event: "session.start",
        ...who(facts),
        success: true,
        fields: {
          ...what(facts),
          gateway_id: facts.gatewayId,
          connection_id: facts.connectionId,
          interactive: facts.size !== undefined,
          ...(access && { rule: access.rule }),
          ...(access?.requestId !== undefined && { access_request_id: access.requestId }),
          ...(facts.client !== undefined && { client: facts.client }),
          ...(facts.command !== undefined && { initial_command: facts.command }),
          ...(facts.size && { size: `${facts.size.cols}:${facts.size.rows}` }),
        },
      });
    } catch (error) {
      await writer?.close({ reason: "failed", detail: "not admitted" }).catch(() => {});
      await rows
        .end(facts.sessionId, { state: "closed", endedAtMs: clock.nowMs(), reason: "failed", durationMs: 0 })
        .catch(() => {}); // The database may be what failed; the next start sweeps the row.
      if (!writer)
        await rows
          .setRecording(facts.sessionId, { state: "interrupted", detail: "not admitted" })
          .catch(() => {});
      return refuse(request, facts.sessionId, error);
    }
    const session: LiveSession = new LiveSession({
      facts,
      access,
      writer,
      clock,
      limits: options.limits,
      audit: (event, fields, success = true) => audit.append({ event, ...who(facts), success, fields }),
      pauseOver: () => void moderation.pauseOver(session),
      closed: (outcome) => closed(facts, outcome),
    });
    live.set(facts.sessionId, session);
    admitting.delete(admission);
    moderation.admitted(session, admission);
    // The recording is what counts; a row that says `admitted` for a live session misleads nobody, and nobody waits for it.
    rows.setState(facts.sessionId, "live").catch((error: unknown) => {
      log.error("a session's state could not be noted", {
        session: facts.sessionId,
        error: messageOf(error),
      });
    });
    return session;
  }

  async function auditInterrupted(
    facts: SessionFacts,
    endedAtMs: number,
    sealed: Record<string, string | number>,
  ) {
    await audit.append({
      event: "session.end",
      ...who(facts),
      success: true,
      fields: {
        ...what(facts),
        reason: "interrupted",
        session_start: facts.startedAt,
        session_stop: new Date(endedAtMs).toISOString(),
        duration_ms: endedAtMs - Date.parse(facts.startedAt),
        ...sealed,
      },
    });
  }

  async function recover(): Promise<number> {
    const recovered = await pipeline.recover();
    for (const recording of recovered) {
      const { facts } = recording;
      if (!(await rows.byId(facts.sessionId))) await rows.insert(facts);
      const durationMs = Math.round(recording.lastTimeUs / 1000);
      const endedAtMs = Date.parse(facts.startedAt) + durationMs;
      const { headSha256, frames, bytes } = recording;
      const first = await rows.end(facts.sessionId, {
        state: "interrupted",
        endedAtMs,
        reason: "interrupted",
        durationMs,
        headSha256,
        frames,
        bytes,
      });
      if (first) await auditInterrupted(facts, endedAtMs, { head_sha256: headSha256, frames, bytes });
      await pipeline.confirmRecovered(facts.sessionId);
    }
    // Rows that are live without a journal entry: the crash came before the first frame, or after the manifest.
    let left = 0;
    for await (const { facts } of everyItem((page) => rows.list({ states: openSessionStates }, page))) {
      if (options.sharesRows && facts.gatewayId !== options.gatewayId) continue;
      const endedAtMs = clock.nowMs();
      await rows.end(facts.sessionId, {
        state: "interrupted",
        endedAtMs,
        reason: "interrupted",
        durationMs: 0,
      });
      await auditInterrupted(facts, endedAtMs, {});
      left++;
    }
    return recovered.length + left;
  }

  return {
    admit,
    recover,
    async stop() {
      stopping = true;
      const ending = [...live.values()];
      for (const session of ending) session.stop("gateway_stopped", "the gate is stopping");
      // The engine ends each within the grace, and the session itself does at its end; `end` is idempotent.
      await Promise.all(ending.map((session) => session.ended));
    },
    onStored: (listener) => void storedListeners.push(listener),
    get liveCount() {
      return live.size;
    },
    live: moderation,
  };
}

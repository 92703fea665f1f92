import { type Clock, GatehouseError, type Random, messageOf, newId } from "@gatehouse/kernel";
import type { SessionFacts } from "@gatehouse/recording";
import type { RecordingPipeline } from "@gatehouse/recording/pipeline";
import type { AuditLog } from "../audit/mod.ts";
import type { SessionAccess, SessionEntries } from "../directory/mod.ts";
import {
  type Actor,
  type LiveSessions,
  type Participant,
  type Termination,
  gatewayActor,
} from "./live-door.ts";
import { type HubLimits, LiveHub, type Sight } from "./live-hub.ts";
import type { LiveSession } from "./live-session.ts";

export type ModerationRules = {
  /** Whether a person is told who looks on at their session. */
  notify: boolean;
  /** A pause ends by itself after so long; 0: never. */
  pauseLimitMs: number;
  /** How: input passes again, or the session is ended. */
  pauseEnds: "resume" | "terminate";
  /** From a warning to the end, where nothing else was said. */
  warningGraceMs: number;
  hub?: Partial<HubLimits>;
};

export type ModerationOptions = {
  live: ReadonlyMap<string, LiveSession>;
  admitting: ReadonlySet<Admission>;
  rows: Pick<SessionEntries, "setState">;
  audit: Pick<AuditLog, "append">;
  pipeline: Pick<RecordingPipeline, "growing">;
  rules: ModerationRules;
  clock: Clock;
  random: Random;
  log: { error(message: string, fields: Record<string, string | number>): void };
};

/** A session while it is being admitted. It cannot be ended yet, and must not slip through. */
export type Admission = {
  readonly facts: SessionFacts;
  readonly access: SessionAccess | undefined;
  doomed?: Termination;
};

const reasonCharsMax = 1000;

/** Pauses, resumes and ends sessions for others, and keeps the account of it: frame, audit event, row. */
export class Moderation implements LiveSessions {
  readonly #options: ModerationOptions;
  /** Of the sessions that somebody looks on at. */
  readonly #hubs = new Map<string, { hub: LiveHub; observers: number }>();

  constructor(options: ModerationOptions) {
    this.#options = options;
  }

  list() {
    return [...this.#options.live.values()].map((session) => session.view());
  }
  get(sessionId: string) {
    return this.#options.live.get(sessionId)?.view();
  }

  async terminate(
    which: string | ((facts: SessionFacts, access: SessionAccess | undefined) => boolean),
    termination: Termination,
  ): Promise<readonly string[]> {
    const { live, admitting } = this.#options;
    const how = this.#bounded(termination);
    if (typeof which === "string") {
      const session = this.#live(which);
      return (await this.#terminate(session, how)) ? [session.id] : [];
    }
    const wanted = [...live.values()].filter(({ facts, access }) => which(facts, access));
    const coming = [...admitting].filter(({ facts, access }) => which(facts, access));
    for (const admission of coming) admission.doomed = how;
    // All are told before any is waited for, and one whose event is refused keeps no other from being ended.
    const told = await Promise.allSettled(wanted.map((session) => this.#terminate(session, how)));
    for (const outcome of told) if (outcome.status === "rejected") throw outcome.reason;
    const ended = wanted.filter((_, i) => (told[i] as PromiseFulfilledResult<boolean>).value);
    return [...ended.map(({ id }) => id), ...coming.map(({ facts }) => facts.sessionId)];
  }

  /** What was asked for while it was being admitted. */
  admitted(session: LiveSession, { doomed }: Admission): void {
    if (doomed) this.#terminate(session, doomed).catch((error: unknown) => this.#untold(session, error));
  }

  notify(sessionId: string, line: string): void {
    this.#live(sessionId).notify(bounded(line));
  }

  async pause(sessionId: string, { by, reason, limitMs }: { by: Actor; reason: string; limitMs?: number }) {
    const { rules } = this.#options;
    const session = this.#live(sessionId);
    const limits = [limitMs ?? 0, rules.pauseLimitMs].filter((ms) => ms > 0);
    const limit = limits.length > 0 ? Math.min(...limits) : 0;
    const why = bounded(reason);
    const recorded = session.pause({ by, reason: why, limitMs: limit });
    await Promise.all([
      recorded,
      this.#audit("session.pause", session.facts, by, {
        reason: why,
        ...(limit > 0 && { limit_ms: limit }),
      }),
      this.#noteState(session, "paused"),
    ]);
    return session.view();
  }

  async resume(sessionId: string, { by, reason }: { by: Actor; reason?: string }) {
    const session = this.#live(sessionId);
    const { paused } = session.view();
    if (paused) {
      // Bytes pass again only when it is known by whose will.
      await this.#audit("session.resume", session.facts, by, {
        ...(reason !== undefined && { reason: bounded(reason) }),
        paused_by: paused.by.name,
        discarded_bytes: paused.discardedBytes,
      });
    }
    const { recorded } = session.resume({ by, ...(reason !== undefined && { reason: bounded(reason) }) });
    await Promise.all([recorded, this.#noteState(session, "live")]);
    return session.view();
  }

  async review(
    sessionId: string,
    statement: number,
    { by, decision, comment }: { by: Actor; decision: "approve" | "deny"; comment?: string },
  ): Promise<void> {
    const session = this.#live(sessionId);
    const why = comment !== undefined && { comment: bounded(comment) };
    const outcome = decision === "approve" ? "approved" : "denied";
    // It is run only when it is known by whose will.
    await session.reviews.decide(statement, { outcome, by, ...why }, ({ rule }) =>
      this.#audit("db.statement.review", session.facts, by, { statement, decision, rule, ...why }),
    );
  }

  async observe(
    sessionId: string,
    { by, fromSeq = 0, signal }: { by: Actor; fromSeq?: number; signal: AbortSignal },
  ): Promise<AsyncIterableIterator<Sight>> {
    const { clock, random, rules } = this.#options;
    const session = this.#live(sessionId);
    const nowMs = clock.nowMs();
    const participant: Participant = {
      id: newId(nowMs, random),
      user: { id: by.id, name: by.name },
      mode: "observer",
      joinedAtMs: nowMs,
    };
    const about = { participant_id: participant.id, mode: participant.mode };
    const hub = this.#hub(session);
    try {
      await this.#audit("session.join", session.facts, by, about);
    } catch (error) {
      this.#release(sessionId);
      throw error;
    }
    const leave = () => {
      session.leave(participant, rules.notify);
      this.#release(sessionId);
      return this.#audit("session.leave", session.facts, by, {
        ...about,
        duration_ms: Math.max(0, clock.nowMs() - nowMs),
      }).catch((error: unknown) => this.#untold(session, error));
    };
    try {
      await session.join(participant, rules.notify);
    } catch (error) {
      await leave();
      throw error;
    }
    return untilLeft(hub.observe(fromSeq, signal), signal, leave);
  }

  /** Nobody came back to what they had paused. */
  async pauseOver(session: LiveSession): Promise<void> {
    const { rules } = this.#options;
    const paused = session.view().paused;
    if (!paused) return;
    const reason = `nobody resumed it; ${paused.by.name} had paused it (${paused.reason})`;
    try {
      if (rules.pauseEnds === "resume") await this.resume(session.id, { by: gatewayActor, reason });
      else await this.#terminate(session, { by: gatewayActor, reason: bounded(reason) });
    } catch (error) {
      this.#untold(session, error);
      // What cannot be put on record must not begin to pass again, and a pause must not last for ever.
      await session.terminate({ by: gatewayActor, reason: bounded(reason) });
    }
  }

  async #terminate(session: LiveSession, how: Termination): Promise<boolean> {
    // The lever first: a log that takes nothing must not keep a session alive that somebody wants ended.
    const pulled = session.terminate(how);
    if (!(await pulled)) return false;
    await this.#audit("session.terminate", session.facts, how.by, {
      reason: how.reason,
      ...(how.warning !== undefined && { warning: how.warning }),
      ...(how.graceMs !== undefined && { grace_ms: how.graceMs }),
    });
    return true;
  }

  #bounded(termination: Termination): Termination {
    const { reason, warning, graceMs } = termination;
    const grace = graceMs ?? (warning === undefined ? 0 : this.#options.rules.warningGraceMs);
    return {
      ...termination,
      reason: bounded(reason),
      ...(warning !== undefined && { warning: bounded(warning) }),
      ...(grace > 0 && { graceMs: grace }),
    };
  }

  #live(sessionId: string): LiveSession {
    const session = this.#options.live.get(sessionId);
    if (session) return session;
    throw this.#notLive(sessionId);
  }
  #notLive(sessionId: string): GatehouseError {
    return new GatehouseError({
      code: "not_found",
      op: "session.moderate",
      message: `no session ${sessionId} is live on this gateway`,
    });
  }

  #hub(session: LiveSession): LiveHub {
    const { pipeline, clock, rules } = this.#options;
    const entry = this.#hubs.get(session.id);
    if (entry) {
      entry.observers++;
      return entry.hub;
    }
    const recording = pipeline.growing(session.id);
    if (!recording) throw this.#notLive(session.id);
    const hub = new LiveHub({ recording, clock, ...(rules.hub && { limits: rules.hub }) });
    this.#hubs.set(session.id, { hub, observers: 1 });
    return hub;
  }
  #release(sessionId: string): void {
    const entry = this.#hubs.get(sessionId);
    if (entry && --entry.observers === 0) this.#hubs.delete(sessionId);
  }

  #audit(event: string, facts: SessionFacts, by: Actor, fields: Record<string, unknown>): Promise<void> {
    return this.#options.audit.append({
      event,
      user: by.name,
      success: true,
      ...(by.remoteAddress && { remoteAddress: by.remoteAddress }),
      serverId: facts.target.id,
      sessionId: facts.sessionId,
      fields: {
        proto: facts.protocol,
        kind: facts.kind,
        login: facts.login,
        server_hostname: facts.target.name,
        server_addr: facts.target.address,
        owner: facts.user.name,
        ...fields,
      },
    });
  }

  /** The recording is what counts; a row that is late misleads nobody. */
  async #noteState(session: LiveSession, state: "live" | "paused"): Promise<void> {
    try {
      await this.#options.rows.setState(session.id, state);
    } catch (error) {
      this.#untold(session, error);
    }
  }
  #untold(session: LiveSession, error: unknown): void {
    this.#options.log.error("an act on a session could not be noted", {
      session: session.id,
      error: messageOf(error),
    });
  }
}

function bounded(text: string): string {
  return text.slice(0, reasonCharsMax).toWellFormed();
}

/**
 * The same sights, and `leave` once: when they end, when whoever looks says so, or at once when `signal` is aborted, whether
 * or not anybody ever asked for the first of them.
 */
function untilLeft(
  sights: AsyncGenerator<Sight>,
  signal: AbortSignal,
  leave: () => Promise<void>,
): AsyncIterableIterator<Sight> {
  let left: Promise<void> | undefined;
  const leaveOnce = () => (left ??= leave());
  if (signal.aborted) void leaveOnce();
  else signal.addEventListener("abort", () => void leaveOnce(), { once: true });
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      try {
        const result = await sights.next();
        if (result.done) await leaveOnce();
        return result;
      } catch (error) {
        await leaveOnce();
        throw error;
      }
    },
    async return() {
      await sights.return(undefined);
      await leaveOnce();
      return { done: true, value: undefined };
    },
  };
}

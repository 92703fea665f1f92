import { type Clock, type Timer, GatehouseError, messageOf, utf8 } from "@gatehouse/kernel";
import {
  type FrameKind,
  type SessionFacts,
  encodePause,
  encodeTerminate,
  encodeWatch,
} from "@gatehouse/recording";
import type { RecordingWriter } from "@gatehouse/recording/pipeline";
import type { SessionAccess } from "../directory/mod.ts";
import { InputGate } from "./input-gate.ts";
import type { Actor, LiveView, Participant, PauseState, Termination } from "./live-door.ts";
import type {
  EndReason,
  InputState,
  ReviewOutcome,
  Session,
  SessionEnding,
  SessionNotice,
  WantedReview,
} from "./session.ts";
import { StatementReviews } from "./statement-reviews.ts";

export type LiveSessionOptions = {
  facts: SessionFacts;
  access: SessionAccess | undefined;
  writer: RecordingWriter;
  clock: Clock;
  limits: SessionLimits;
  audit: Session["audit"];
  /** A pause has reached its limit. */
  pauseOver(): void;
  /** Called once, when nothing more will be recorded. */
  closed(outcome: SessionOutcome): Promise<void>;
};

export type SessionLimits = {
  /** Milliseconds without input or output; 0 is no limit. */
  idleTimeoutMs: number;
  /** 0 is no limit. */
  maxDurationMs: number;
  /** From the message on the person's screen to the end. */
  endingGraceMs: number;
  /** How long a request waits while input is paused, before it is answered with an error. */
  requestWaitMs: number;
};

export type SessionOutcome = {
  reason: EndReason;
  detail: string | undefined;
  /** Who ended it, where that was neither side. */
  endedBy: string | undefined;
  exitStatus: number | undefined;
  exitSignal: string | undefined;
  durationUs: number;
  /** Absent when the recording could not be sealed here; the next start does it. */
  recording: { headSha256: string; frames: number; bytes: number } | undefined;
};

/** These count as activity; a resize or a keepalive does not keep an idle session open. */
const activity: ReadonlySet<FrameKind> = new Set<FrameKind>([
  "output",
  "input",
  "stdin",
  "stdout",
  "stderr",
  "digest",
  "file",
  "forward.open",
  "query",
]);

/** Recorded bytes that wait for the disk; above it the protocol stops reading. */
const pendingBytesHigh = 1024 * 1024;
/** Whoever goes on typing into a pause is told again, and not at each key. */
const discardNoticeMs = 5_000;
/** What is to be said before the engine listens. */
const unsaidMax = 16;

/** One session from its admission to its end. */
export class LiveSession implements Session {
  readonly #options: LiveSessionOptions;
  readonly #startedUs: number;
  readonly #input: InputGate;
  readonly reviews: StatementReviews;
  #state: "live" | "ending" | "closed" = "live";
  #paused: (Omit<PauseState, "discardedBytes"> & { timer: Timer | undefined }) | undefined;
  #discardedBytes = 0;
  readonly #participants = new Map<string, Participant>();
  #discardToldUs = -Infinity;
  #ending: (SessionEnding & { by?: Actor; detail?: string }) | undefined;
  /** It was warned; when the timer runs out it ends. */
  #doomed: { atMs: number; timer: Timer } | undefined;
  #endingListener: ((ending: SessionEnding) => void) | undefined;
  #noticeListener: ((notice: SessionNotice) => void) | undefined;
  #unsaid: SessionNotice[] = [];
  #lastActivityUs: number;
  #timers = new Set<Timer>();
  #end: Promise<void> | undefined;
  readonly #lost = (error: unknown) => this.#recordingLost(error);
  /** Resolves when the session is closed and noted. */
  readonly ended: Promise<void>;
  readonly #resolveEnded: () => void;

  constructor(options: LiveSessionOptions) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#resolveEnded = resolve;
    this.#startedUs = options.clock.monotonicUs();
    this.#lastActivityUs = this.#startedUs;
    this.#input = new InputGate(options.clock);
    this.reviews = new StatementReviews(options.clock);
    const { idleTimeoutMs, maxDurationMs } = options.limits;
    if (idleTimeoutMs > 0) this.#watchIdle(idleTimeoutMs);
    if (maxDurationMs > 0)
      this.#after(maxDurationMs, () =>
        this.stop("max_duration", `this session has reached its maximum time of ${span(maxDurationMs)}`),
      );
  }

  get id(): string {
    return this.#options.facts.sessionId;
  }
  get facts(): SessionFacts {
    return this.#options.facts;
  }
  get access(): SessionAccess | undefined {
    return this.#options.access;
  }
  get congested(): boolean {
    return this.#options.writer.pendingBytes > pendingBytesHigh;
  }
  ready(): Promise<void> {
    return this.#options.writer.ready();
  }
  active(): void {
    this.#lastActivityUs = this.#options.clock.monotonicUs();
  }

  inputAllowed(): boolean {
    return this.#input.state === "allowed";
  }
  whenInputAllowed(limitMs = this.#options.limits.requestWaitMs): Promise<InputState> {
    return this.#input.when(limitMs);
  }
  inputDiscarded(bytes: number): void {
    if (!this.#paused) return;
    this.#discardedBytes += bytes;
    const nowUs = this.#options.clock.monotonicUs();
    if (nowUs - this.#discardToldUs < discardNoticeMs * 1000) return;
    this.#discardToldUs = nowUs;
    this.#notice("pause", "input is paused, and what you typed was dropped");
  }

  review(wanted: WantedReview, signal: AbortSignal): Promise<ReviewOutcome> {
    if (this.#state !== "live") return Promise.resolve({ outcome: "ending" });
    return this.reviews.ask(wanted, signal);
  }

  record(kind: FrameKind, stream: number, data: Uint8Array): Promise<void> {
    if (this.#state === "closed")
      return Promise.reject(
        new GatehouseError({
          code: "recording_unavailable",
          op: "session.record",
          message: "the session has ended",
        }),
      );
    if (activity.has(kind)) this.active();
    const durable = this.#options.writer.append(kind, stream, data);
    durable.catch(this.#lost);
    return durable;
  }

  audit(event: string, fields: Record<string, unknown>, success = true): Promise<void> {
    return this.#options.audit(event, fields, success);
  }

  onEnding(listener: (ending: SessionEnding) => void): void {
    this.#endingListener = listener;
    // It may have been told to end between its admission and the engine's first word.
    if (this.#ending) listener(this.#ending);
  }
  onNotice(listener: (notice: SessionNotice) => void): void {
    this.#noticeListener = listener;
    for (const notice of this.#unsaid.splice(0)) listener(notice);
  }

  view(): LiveView {
    const paused = this.#paused;
    const { clock } = this.#options;
    return {
      facts: this.facts,
      ...(this.access && { access: this.access }),
      state: this.#state === "live" ? (paused ? "paused" : "live") : "ending",
      ...(paused && {
        paused: {
          by: paused.by,
          reason: paused.reason,
          sinceMs: paused.sinceMs,
          ...(paused.untilMs !== undefined && { untilMs: paused.untilMs }),
          discardedBytes: this.#discardedBytes,
        },
      }),
      ...(this.#doomed && { endsAtMs: this.#doomed.atMs }),
      participants: [...this.#participants.values()],
      waiting: this.reviews.list(),
      lastActivityMs: clock.nowMs() - (clock.monotonicUs() - this.#lastActivityUs) / 1000,
    };
  }

  /**
   * From this call on nothing that the person sends passes. Resolves when that is on record. `limitMs` 0 is no limit.
   */
  pause({ by, reason, limitMs }: { by: Actor; reason: string; limitMs: number }): Promise<void> {
    if (this.#paused) throw conflict(`${this.#paused.by.name} has paused it already`);
    if (this.#state !== "live") throw conflict("it is ending");
    const { clock } = this.#options;
    this.#input.pause();
    this.#discardedBytes = 0;
    this.#discardToldUs = -Infinity;
    const nowMs = clock.nowMs();
    const timer = limitMs > 0 ? this.#after(limitMs, () => this.#options.pauseOver()) : undefined;
    this.#paused = {
      by: nameOf(by),
      reason,
      sinceMs: nowMs,
      ...(limitMs > 0 && { untilMs: nowMs + limitMs }),
      timer,
    };
    const recorded = this.record(
      "pause",
      0,
      encodePause({ user: nameOf(by), reason, ...(limitMs > 0 && { limitMs }) }),
    );
    this.#notice(
      "pause",
      `${by.name} has paused your input (${reason}); nothing that you send passes until it goes on`,
    );
    return recorded;
  }

  /** Input passes again; the frame that says so comes before the first of it. Returns what was dropped. */
  resume({ by, reason }: { by: Actor; reason?: string }): {
    recorded: Promise<void>;
    discardedBytes: number;
  } {
    if (!this.#paused || this.#state !== "live") throw conflict("it is not paused");
    const discardedBytes = this.#discardedBytes;
    this.#cancel(this.#paused.timer);
    this.#paused = undefined;
    const recorded = this.record(
      "resume",
      0,
      encodePause({ user: nameOf(by), discardedBytes, ...(reason !== undefined && { reason }) }),
    );
    // A person who had to wait was not idle.
    this.active();
    this.#notice("pause", "your input passes again");
    this.#input.resume();
    return { recorded, discardedBytes };
  }

  notify(line: string): void {
    this.#notice("warning", line);
  }

  /** False when it ends already, and not later than this would make it. Resolves when it is on record. */
  terminate({ by, reason, warning, graceMs = 0 }: Termination): Promise<boolean> {
    const { clock } = this.#options;
    const atMs = clock.nowMs() + graceMs;
    if (this.#state !== "live" || (this.#doomed && this.#doomed.atMs <= atMs)) return Promise.resolve(false);
    const recorded = this.record(
      "terminate",
      0,
      encodeTerminate({
        user: nameOf(by),
        reason,
        ...(warning !== undefined && { warning }),
        ...(graceMs > 0 && { graceMs }),
      }),
    ).then(
      () => true,
      // A recording that is lost ends the session as well; nobody has to end it twice.
      () => true,
    );
    if (this.#doomed) this.#cancel(this.#doomed.timer);
    const stop = () =>
      this.stop("terminated", `${by.name} has ended this session (${reason})`, { by, reason });
    if (graceMs <= 0) {
      this.#doomed = undefined;
      stop();
      return recorded;
    }
    this.#doomed = { atMs, timer: this.#after(graceMs, stop) };
    this.#notice("warning", `${by.name} ends this session in ${span(graceMs)} (${warning ?? reason})`);
    return recorded;
  }

  /** Somebody looks on from now on. Resolves when that is on record. `tell`: the person is told. */
  join(participant: Participant, tell: boolean): Promise<void> {
    const isFirst = !this.#watchedBy(participant.user.id);
    this.#participants.set(participant.id, participant);
    const { user, mode } = participant;
    const recorded = this.record("join", 0, encodeWatch({ user, mode }));
    // The same person in two windows is one to be told of.
    if (tell && isFirst) this.#notice("watch", `${user.name} looks on`);
    return recorded;
  }
  leave(participant: Participant, tell: boolean): void {
    if (!this.#participants.delete(participant.id) || this.#state === "closed") return;
    const { user, mode } = participant;
    // A recording that takes no frame any more ends by itself.
    this.record("leave", 0, encodeWatch({ user, mode })).catch(() => {});
    if (tell && !this.#watchedBy(user.id)) this.#notice("watch", `${user.name} no longer looks on`);
  }

  /** Asks the engine to end, and cuts the session off when it has not done so within the grace. */
  stop(reason: EndReason, message: string, who?: { by: Actor; reason: string }): void {
    if (this.#state !== "live") return;
    this.#state = "ending";
    this.#ending = {
      reason,
      message,
      graceMs: this.#options.limits.endingGraceMs,
      ...(who && { by: who.by, detail: who.reason }),
    };
    this.#after(this.#ending.graceMs, () => void this.end({ reason }));
    this.#input.shut();
    this.reviews.shut();
    this.#endingListener?.(this.#ending);
  }

  end(outcome: Parameters<Session["end"]>[0]): Promise<void> {
    this.#end ??= this.#close(outcome);
    return this.#end;
  }

  async #close(outcome: Parameters<Session["end"]>[0]): Promise<void> {
    // What the session was told comes before what its engine made of it: an idle session that then closes was idle.
    const reason = this.#ending?.reason ?? outcome.reason;
    const detail = this.#ending?.detail ?? outcome.detail;
    const by = this.#ending?.by;
    this.#state = "closed";
    this.#input.shut();
    this.reviews.shut();
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    const { writer, clock } = this.#options;
    const durationUs = clock.monotonicUs() - this.#startedUs;
    const end = {
      reason,
      ...(detail !== undefined && { detail }),
      ...(outcome.exitStatus !== undefined && { exitStatus: outcome.exitStatus }),
      ...(outcome.exitSignal !== undefined && { exitSignal: outcome.exitSignal }),
      ...(by && { user: nameOf(by) }),
    };
    let recording: SessionOutcome["recording"];
    try {
      await writer.append("session.end", 0, utf8(JSON.stringify(end)));
      recording = await writer.close({ reason, ...(detail !== undefined && { detail }) });
    } catch {
      // A dead writer: what was committed is in the journal, and the next start closes it as interrupted.
      recording = undefined;
    }
    await this.#options.closed({
      reason,
      detail,
      endedBy: by?.name,
      exitStatus: outcome.exitStatus,
      exitSignal: outcome.exitSignal,
      durationUs,
      recording,
    });
    this.#resolveEnded();
  }

  #watchedBy(userId: string): boolean {
    return [...this.#participants.values()].some(({ user }) => user.id === userId);
  }

  #recordingLost(error: unknown): void {
    this.stop(
      "recording_unavailable",
      `recording cannot be guaranteed any longer (${messageOf(error)}); this session ends`,
    );
  }

  #notice(about: SessionNotice["about"], text: string): void {
    if (this.#state !== "live") return;
    if (this.#noticeListener) return this.#noticeListener({ about, text });
    if (this.#unsaid.length < unsaidMax) this.#unsaid.push({ about, text });
  }

  #watchIdle(limitMs: number): void {
    // Whoever may send nothing is not idle; the pause, and the wait for an approval, have limits of their own.
    if (this.#paused || this.reviews.list().length > 0) this.active();
    const idleMs = (this.#options.clock.monotonicUs() - this.#lastActivityUs) / 1000;
    if (idleMs >= limitMs) this.stop("idle_timeout", `no input or output for ${span(limitMs)}`);
    else this.#after(limitMs - idleMs, () => this.#watchIdle(limitMs));
  }

  #after(delayMs: number, callback: () => void): Timer {
    const timer = this.#options.clock.after(delayMs, () => {
      this.#timers.delete(timer);
      callback();
    });
    this.#timers.add(timer);
    return timer;
  }
  #cancel(timer: Timer | undefined): void {
    if (!timer) return;
    timer.cancel();
    this.#timers.delete(timer);
  }
}

const nameOf = ({ id, name }: Actor) => ({ id, name });

function conflict(why: string): GatehouseError {
  return new GatehouseError({
    code: "conflict",
    op: "session.moderate",
    message: `this cannot be done to the session: ${why}`,
  });
}

/** A limit as a person reads it. */
function span(ms: number): string {
  return ms >= 120_000 ? `${Math.round(ms / 60_000)} minutes` : `${Math.round(ms / 1000)} seconds`;
}

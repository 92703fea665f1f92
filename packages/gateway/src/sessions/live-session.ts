import { type Clock, type Timer, GatehouseError, messageOf, utf8 } from "@gatehouse/kernel";
import type { FrameKind, SessionFacts } from "@gatehouse/recording";
import type { RecordingWriter } from "@gatehouse/recording/pipeline";
import type { EndReason, Session, SessionEnding } from "./session.ts";

export type LiveSessionOptions = {
  facts: SessionFacts;
  writer: RecordingWriter;
  clock: Clock;
  limits: SessionLimits;
  audit: Session["audit"];
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
};

export type SessionOutcome = {
  reason: EndReason;
  detail: string | undefined;
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

/** One session from its admission to its end. */
export class LiveSession implements Session {
  readonly #options: LiveSessionOptions;
  readonly #startedUs: number;
  #state: "live" | "ending" | "closed" = "live";
  #ending: SessionEnding | undefined;
  #listener: ((ending: SessionEnding) => void) | undefined;
  #lastActivityUs: number;
  #timers = new Set<Timer>();
  #end: Promise<void> | undefined;
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
    const { idleTimeoutMs, maxDurationMs } = options.limits;
    if (idleTimeoutMs > 0) this.#watchIdle(idleTimeoutMs);
    if (maxDurationMs > 0)
      this.#after(maxDurationMs, () =>
        this.stop("max_duration", `this session has reached its maximum time of ${minutes(maxDurationMs)}`),
      );
  }

  get id(): string {
    return this.#options.facts.sessionId;
  }
  get facts(): SessionFacts {
    return this.#options.facts;
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
    return this.#state === "live";
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
    if (activity.has(kind)) this.#lastActivityUs = this.#options.clock.monotonicUs();
    const durable = this.#options.writer.append(kind, stream, data);
    durable.catch((error: unknown) => this.#recordingLost(error));
    return durable;
  }

  audit(event: string, fields: Record<string, unknown>, success = true): Promise<void> {
    return this.#options.audit(event, fields, success);
  }

  onEnding(listener: (ending: SessionEnding) => void): void {
    this.#listener = listener;
    // It may have been told to end between its admission and the engine's first word.
    if (this.#ending) listener(this.#ending);
  }

  /** Asks the engine to end, and cuts the session off when it has not done so within the grace. */
  stop(reason: EndReason, message: string): void {
    if (this.#state !== "live") return;
    this.#state = "ending";
    this.#ending = { reason, message, graceMs: this.#options.limits.endingGraceMs };
    this.#after(this.#ending.graceMs, () => void this.end({ reason }));
    this.#listener?.(this.#ending);
  }

  end(outcome: {
    reason: EndReason;
    detail?: string;
    exitStatus?: number;
    exitSignal?: string;
  }): Promise<void> {
    this.#end ??= this.#close(outcome);
    return this.#end;
  }

  async #close(outcome: {
    reason: EndReason;
    detail?: string;
    exitStatus?: number;
    exitSignal?: string;
  }): Promise<void> {
    // What the session was told comes before what its engine made of it: an idle session that then closes was idle.
    const reason = this.#ending?.reason ?? outcome.reason;
    this.#state = "closed";
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    const { writer, clock } = this.#options;
    const durationUs = clock.monotonicUs() - this.#startedUs;
    const end = {
      reason,
      ...(outcome.detail !== undefined && { detail: outcome.detail }),
      ...(outcome.exitStatus !== undefined && { exitStatus: outcome.exitStatus }),
      ...(outcome.exitSignal !== undefined && { exitSignal: outcome.exitSignal }),
    };
    let recording: SessionOutcome["recording"];
    try {
      await writer.append("session.end", 0, utf8(JSON.stringify(end)));
      recording = await writer.close({
        reason,
        ...(outcome.detail !== undefined && { detail: outcome.detail }),
      });
    } catch {
      // A dead writer: what was committed is in the journal, and the next start closes it as interrupted.
      recording = undefined;
    }
    await this.#options.closed({
      reason,
      detail: outcome.detail,
      exitStatus: outcome.exitStatus,
      exitSignal: outcome.exitSignal,
      durationUs,
      recording,
    });
    this.#resolveEnded();
  }

  #recordingLost(error: unknown): void {
    this.stop(
      "recording_unavailable",
      `recording cannot be guaranteed any longer (${messageOf(error)}); this session ends`,
    );
  }

  #watchIdle(limitMs: number): void {
    const idleMs = (this.#options.clock.monotonicUs() - this.#lastActivityUs) / 1000;
    if (idleMs >= limitMs) this.stop("idle_timeout", `no input or output for ${minutes(limitMs)}`);
    else this.#after(limitMs - idleMs, () => this.#watchIdle(limitMs));
  }

  #after(delayMs: number, callback: () => void): void {
    const timer = this.#options.clock.after(delayMs, () => {
      this.#timers.delete(timer);
      callback();
    });
    this.#timers.add(timer);
  }
}

/** A limit as a person reads it. */
function minutes(ms: number): string {
  return ms >= 120_000 ? `${Math.round(ms / 60_000)} minutes` : `${Math.round(ms / 1000)} seconds`;
}

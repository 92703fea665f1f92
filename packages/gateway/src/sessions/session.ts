import type { FrameKind, SessionFacts } from "@gatehouse/recording";
import type { SessionAccess } from "../directory/mod.ts";

/**
 * What a protocol engine holds of a session. It records to it, asks whether input may pass, and is told to end;
 * it knows nothing of roles, stores, sinks or the web.
 */
export type Session = {
  readonly id: string;
  readonly facts: SessionFacts;
  /**
   * Records a frame; resolves when it is durable. Only then may the bytes be forwarded (P1). Rejects with
   * `recording_unavailable` when it cannot be kept; the session is ending by then and nothing may be forwarded.
   * Input and output kinds count as activity for the idle limit.
   */
  record(kind: FrameKind, stream: number, data: Uint8Array): Promise<void>;
  /** True while recorded bytes wait for the disk beyond the mark: stop reading the socket, then await `ready()`. */
  readonly congested: boolean;
  ready(): Promise<void>;
  /** Something passed that no frame holds (a forward, a file's contents): activity for the idle limit all the same. */
  active(): void;
  /**
   * Whether what the person sends may pass now: not while somebody has paused it, and not once the session ends. What the
   * target sends always may. What is typed at a terminal while it may not is dropped and reported (`inputDiscarded`), because it
   * must never run later unseen; what a program sends, a stream or a request, waits (`whenInputAllowed`).
   */
  inputAllowed(): boolean;
  /**
   * Resolves at once where input may pass, else when it may again (`allowed`), when the session ends (`ending`), or after
   * `limitMs` (`paused`): by default as long as the operator lets a request wait. `Infinity`: as long as the pause lasts.
   */
  whenInputAllowed(limitMs?: number): Promise<InputState>;
  /** So many bytes of the person were dropped because input may not pass. They are counted, and the person is told. */
  inputDiscarded(bytes: number): void;
  /**
   * A statement that a rule keeps until somebody else has decided about it: shown to those who may, for `limitMs` at most.
   * It is recorded already. `signal`: nobody wants it any more. A session that waits so is not idle.
   */
  review(wanted: WantedReview, signal: AbortSignal): Promise<ReviewOutcome>;
  /** Writes an audit event that belongs to this session (`session_id`, user, target are filled in). */
  audit(event: string, fields: Record<string, unknown>, success?: boolean): Promise<void>;
  /**
   * Called with each line that somebody else's act has for the person: record it as `notice`, then show it, if the protocol has
   * a way to. What was to be said before there was a listener is said when there is one.
   */
  onNotice(listener: (notice: SessionNotice) => void): void;
  /**
   * Called at most once, when the session must end by somebody else's will: idle, time limit, an administrator,
   * recording lost, the gate stopping. Show `message` to the person if the protocol can, close both sides, then call `end`.
   * The engine has `graceMs` before it is cut off.
   */
  onEnding(listener: (ending: SessionEnding) => void): void;
  /** The engine is done: commits `session.end`, seals the recording, writes the audit event. Idempotent. */
  end(outcome: {
    reason: EndReason;
    detail?: string;
    exitStatus?: number;
    exitSignal?: string;
  }): Promise<void>;
};

export type WantedReview = {
  /** Its number in the recording. */
  statement: number;
  rule: string;
  /** As the recording shows it. */
  text: string;
  limitMs: number;
  /** Asks the database what it would do; rejects with why that cannot be said. */
  plan(): Promise<string>;
};
export type ReviewOutcome =
  | { outcome: "approved" | "denied"; by: { id: string; name: string }; comment?: string }
  | { outcome: "late" | "withdrawn" | "ending" };

export type InputState = "allowed" | "paused" | "ending";

export type SessionNotice = {
  /** `watch`: who looks on. The others concern what the person can do, and belong on every screen that there is. */
  about: "pause" | "warning" | "watch";
  /** One line, without the gate's name before it. */
  text: string;
};

export const endReasons = [
  "closed", // by the person or the target, in the ordinary way
  "connection_lost",
  "target_lost",
  "idle_timeout",
  "max_duration",
  "terminated", // by an administrator
  "recording_unavailable",
  "gateway_stopped",
  "interrupted", // found at start after a crash
  "failed", // the target could not be reached, or refused
] as const;
export type EndReason = (typeof endReasons)[number];

export type SessionEnding = {
  reason: EndReason;
  /** For the person's screen, one line. */ message: string;
  graceMs: number;
};

/** What a protocol asks for. The facts that the sessions room makes itself are left out. */
export type SessionRequest = Omit<SessionFacts, "sessionId" | "startedAt" | "gatewayId"> & {
  /** Why it is allowed, as access said. */
  access?: SessionAccess;
};

export type Sessions = {
  /**
   * requested -> admitted: decides, checks that recording is guaranteed, opens the recording, writes `session.start`.
   * Rejects with `denied`, or `recording_unavailable` (fail-closed), having audited `session.rejected`; the target must
   * not have been dialled before this resolves.
   */
  admit(request: SessionRequest): Promise<Session>;
};

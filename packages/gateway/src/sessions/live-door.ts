import type { SessionFacts } from "@gatehouse/recording";
import type { SessionAccess } from "../directory/mod.ts";
import type { Sight } from "./live-hub.ts";

/** Who acts on somebody's session: a person, or a rule of the gateway that carries a name of its own. */
export type Actor = { readonly id: string; readonly name: string; readonly remoteAddress?: string };

/** For what the gateway does by itself, such as letting a pause end. */
export const gatewayActor: Actor = { id: "system", name: "system" };

/** Somebody who looks on. The same person may do so twice. */
export type Participant = {
  readonly id: string;
  readonly user: { readonly id: string; readonly name: string };
  readonly mode: "observer";
  readonly joinedAtMs: number;
};

export type PauseState = {
  readonly by: { readonly id: string; readonly name: string };
  readonly reason: string;
  readonly sinceMs: number;
  /** When it ends by itself. */
  readonly untilMs?: number;
  /** What was typed meanwhile and dropped. */
  readonly discardedBytes: number;
};

/** A statement that waits until somebody else has decided about it. */
export type WaitingStatement = {
  /** Its number in the recording. */
  readonly statement: number;
  /** The target's rule that asks for it. */
  readonly rule: string;
  /** As the recording shows it. */
  readonly text: string;
  readonly sinceMs: number;
  /** When it is refused by itself. */
  readonly untilMs: number;
  /** What the database would do, or why that is not known; neither while it is being asked. */
  readonly plan?: string;
  readonly planMissing?: string;
};

/** A live session, as it is at the moment of asking. */
export type LiveView = {
  readonly facts: SessionFacts;
  /** Why it was allowed. */
  readonly access?: SessionAccess;
  readonly state: "live" | "paused" | "ending";
  readonly paused?: PauseState;
  /** It has been told that it will end, and when. */
  readonly endsAtMs?: number;
  readonly participants: readonly Participant[];
  readonly waiting: readonly WaitingStatement[];
  /** When something passed last. */
  readonly lastActivityMs: number;
};

export type Termination = {
  by: Actor;
  /** Shown to the person, and kept in `session.end`. */
  reason: string;
  /** Told to the person when the grace begins. */
  warning?: string;
  /** From now to the end: the session goes on until then. 0 where there is no warning, else the gateway's own. */
  graceMs?: number;
};

/**
 * The sessions that are live on this gateway, and the levers on them. They ask nobody: whether somebody may pull one was
 * decided before. Each act is a frame of the recording and an event of the audit log.
 */
export type LiveSessions = {
  /** In the order in which they began. */
  list(): readonly LiveView[];
  get(sessionId: string): LiveView | undefined;
  /**
   * Ends a session, or all that fit; also those that are being admitted at this moment. Returns their ids when all were
   * told. A second call can only make it sooner. `not_found` for an id that is not live here. The sessions end even when
   * the log takes no event; the call then rejects with `unavailable`.
   */
  terminate(
    which: string | ((facts: SessionFacts, access: SessionAccess | undefined) => boolean),
    termination: Termination,
  ): Promise<readonly string[]>;
  /** Says one line to the person, if the protocol has a way to, and records that it was said. `not_found` as above. */
  notify(sessionId: string, line: string): void;
  /**
   * Stops input from this moment on; what comes from the target goes on, and is recorded. `limitMs` can only shorten what the
   * gateway lets a pause last. `conflict` when it is paused or ends already. Input stays stopped even when the log takes no event;
   * the call then rejects with `unavailable`.
   */
  pause(sessionId: string, how: { by: Actor; reason: string; limitMs?: number }): Promise<LiveView>;
  /** Once the event is in the log. `conflict` when it is not paused. */
  resume(sessionId: string, how: { by: Actor; reason?: string }): Promise<LiveView>;
  /**
   * Decides about a statement that waits, once the event is in the log. `conflict` where it does not wait any more.
   */
  review(
    sessionId: string,
    statement: number,
    how: { by: Actor; decision: "approve" | "deny"; comment?: string },
  ): Promise<void>;
  /**
   * Looks on: all frames from `fromSeq` on, those that are recorded and then those that come, until the session has ended or
   * `signal` is aborted. It is on record, and in the log, before the first of them; its end is as soon as `signal` is
   * aborted or the last was taken. Pulled: an observer who takes nothing holds up nobody.
   */
  observe(
    sessionId: string,
    how: { by: Actor; fromSeq?: number; signal: AbortSignal },
  ): Promise<AsyncIterableIterator<Sight>>;
};

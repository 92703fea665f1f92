/**
 * sessions: the one lifecycle that every protocol's sessions live through.
 *
 * Owns: admission (fail-closed, before a target is dialled), the states of a session, its idle and maximum time, its
 * end and the reason, pausing and ending it by somebody else's will, its rows and audit events, and what becomes of sessions
 * that a crash cut off.
 * Never: speaks a protocol, decides by role (access does), opens a store, or lets bytes pass that are not recorded.
 *
 *   requested -> admitted -> live <-> paused -> ending -> closed
 *                                                    \-> interrupted (found at the next start)
 */
export { createSessions, type SessionsOptions, type SessionsRoom } from "./lifecycle.ts";
export {
  type Actor,
  type LiveSessions,
  type LiveView,
  type Participant,
  type PauseState,
  type Termination,
  type WaitingStatement,
} from "./live-door.ts";
export { type LastingRight, type LastingRights, createLastingRights } from "./lasting-rights.ts";
export { type Moderators, createModerators } from "./moderators.ts";
export type { Sight } from "./live-hub.ts";
export {
  type EndReason,
  type InputState,
  type ReviewOutcome,
  type Session,
  type SessionEnding,
  type SessionNotice,
  type SessionRequest,
  type Sessions,
} from "./session.ts";

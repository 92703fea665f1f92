/**
 * sessions: the one lifecycle that every protocol's sessions live through.
 *
 * Owns: admission (fail-closed, before a target is dialled), the states of a session, its idle and maximum time, its
 * end and the reason, its rows and audit events, and what becomes of sessions that a crash cut off.
 * Never: speaks a protocol, decides by role (access does), opens a store, or lets bytes pass that are not recorded.
 *
 *   requested -> admitted -> live -> ending -> closed
 *                                         \-> interrupted (found at the next start)
 */
export { createSessions, type SessionsOptions, type SessionsRoom } from "./lifecycle.ts";
export {
  type EndReason,
  type Session,
  type SessionEnding,
  type SessionRequest,
  type Sessions,
} from "./session.ts";

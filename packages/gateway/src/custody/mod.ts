/**
 * custody: what lies in the store, held to account.
 *
 * Owns: the checker, which verifies each recording after it was stored and again at a pace, the report of sessions against
 * verified recordings, and the list of sessions made anew from the store.
 * Never: changes or removes an object, takes a store that does not answer for a damaged one, or decides who may ask.
 */
export { type Checker, createChecker } from "./checker.ts";
export { type RecoveryReport, recoverSessions } from "./recovery.ts";
export { coverageOf } from "./coverage.ts";
export { retentionPolicy } from "./retention-policy.ts";

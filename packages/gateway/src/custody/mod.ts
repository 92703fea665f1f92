/**
 * custody: what lies in the store, held to account.
 *
 * Owns: the checker, which verifies each recording after it was stored and again at a pace, the report of sessions against
 * verified recordings, the list of sessions made anew from the store; for how long a recording is kept, legal holds, and the
 * sweeper, which removes what nobody must keep any longer; the keys of recordings wrapped again for the recipients of today.
 * Never: changes an object, removes one by a clock that it does not believe, takes a store that does not answer for a damaged one, or decides who may ask.
 */
export { type Checker, createChecker } from "./checker.ts";
export { type RecoveryReport, recoverSessions } from "./recovery.ts";
export { recordingAlarms } from "./alarms.ts";
export { coverageOf } from "./coverage.ts";
export { createClockWatch } from "./clock-watch.ts";
export { createLegalHolds } from "./legal-holds.ts";
export { createRewrapper, notRewrapped } from "./rewrapping.ts";
export { createPruner } from "./pruner.ts";
export { createSweeper } from "./sweeper.ts";
export { retentionReportOf } from "./retention-report.ts";
export { retentionPolicy } from "./retention-policy.ts";

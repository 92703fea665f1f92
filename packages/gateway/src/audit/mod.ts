/**
 * audit: who did what, in a log that shows when somebody changed it.
 *
 * Owns: the chain of events, their order, and the check that nothing is missing, altered, moved or cut off.
 * Never: drops an event silently, holds a field that the catalogue does not classify, or lets a caller go on when the
 * event could not be kept.
 */
export type { AuditHistory, AuditLog, AuditRecord } from "./door.ts";
export { type AnchorSigner, anchorIn, pruneEvent, signedAnchor } from "./prune-anchor.ts";
export { openAuditLog } from "./log.ts";
export { openEvents } from "./open-events.ts";
export { signedHeadLine } from "./signed-head.ts";
export { type ExportVerdict, verifyExport } from "./verify-export.ts";

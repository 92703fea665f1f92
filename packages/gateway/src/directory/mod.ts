/**
 * directory: the database. People and their keys, targets, sessions, sealed secrets, sign-ins, the rows of the audit log.
 *
 * Owns: the schema and its migrations, every SQL statement of the gateway, and what "durable" means for a row.
 * Never: decides who may do what, opens a sealed secret, or lets a failure of the database pass as an empty answer.
 */
export * from "./door.ts";
export type { CheckedGroup, RecordingChecks } from "./recording-checks.ts";
export type { OidcAccounts, OidcSignIns } from "./oidc.ts";
export type { CommandSignIn, CommandSignIns } from "./command-sign-ins.ts";
export { afterSession } from "./session-entries.ts";
export type { RecordingIndexes } from "./recording-indexes.ts";
export type { SearchFilter, SearchFilters } from "./search-filters.ts";
export type { Certificate, CertificateScope, Certificates } from "./certificates.ts";
export type { Pruning } from "./pruning.ts";
export type { RecordingKeeping } from "./recording-keeping.ts";
export type { Passwords } from "./passwords.ts";
export type { SealedEnvelope, SealedEnvelopes } from "./sealed-envelopes.ts";
export type { Factor, Factors, NewFactor } from "./factors.ts";
export type { SignInStep, SignInSteps } from "./sign-in-steps.ts";
export type { AttemptsAbout, SignInAttempts } from "./sign-in-attempts.ts";
export { openDirectory } from "./open.ts";
export { everyItem } from "./page.ts";
export { type Resources, requestResource, targetResource } from "./resources.ts";

/**
 * application: what people and programs can ask of the gate, in the public words, whatever the transport.
 *
 * Owns: turning rooms' own types into the words of the contracts, and the audit event of each change.
 * Never: decides (access does, before these are called), reads a request, or keeps state.
 */
export { createAccounts } from "./accounts.ts";
export { createAuditReader } from "./audit.ts";
export { createFactors } from "./factors.ts";
export { createHealth } from "./health.ts";
export { restIdentity } from "./identity.ts";
export { createModeration } from "./moderation.ts";
export { createPeople } from "./people.ts";
export { createSessionCatalogue } from "./sessions.ts";
export { createTargets } from "./targets.ts";
export { createCommandSignInDoor } from "./command-sign-in.ts";
export { createCredentialsDoor } from "./credentials.ts";
export { createConnections } from "./connections.ts";
export { createExplain } from "./explain.ts";
export { createLocks } from "./locks.ts";
export { createRequestsDoor } from "./requests.ts";
export { createRoles } from "./roles.ts";
export { createTokens } from "./tokens.ts";
export { createSignIns } from "./sign-ins.ts";
export { createCertificates } from "./certificates.ts";
export { createTeams } from "./teams.ts";

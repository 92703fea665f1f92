/**
 * rest: the words of the REST API, one file for each resource.
 *
 * Owns: the shape of every request and answer under /api/v1 and the compact form of a stream of frames.
 * Never: decides who may ask, or knows how an answer is found.
 */
export * from "./shapes.ts";
export * from "./access.ts";
export * from "./plain-name.ts";
export * from "./statements.ts";
export * from "./accounts.ts";
export * from "./auth.ts";
export * from "./factors.ts";
export * from "./sign-ins.ts";
export * from "./sessions.ts";
export * from "./recordings.ts";
export * from "./recording-search.ts";
export * from "./search.ts";
export * from "./recording-index.ts";
export * from "./custody.ts";
export * from "./rewrapping.ts";
export * from "./retention.ts";
export * from "./moderation.ts";
export * from "./people.ts";
export * from "./targets.ts";
export * from "./credentials.ts";
export * from "./connections.ts";
export * from "./audit.ts";
export * from "./health.ts";
export * from "./frame-stream.ts";
export * from "./teams.ts";
export * from "./roles.ts";
export * from "./explain.ts";
export * from "./tokens.ts";
export * from "./certificates.ts";
export * from "./command-sign-in.ts";
export * from "./locks.ts";
export * from "./requests.ts";

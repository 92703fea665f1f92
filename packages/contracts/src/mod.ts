/**
 * contracts: the public words. What a client, a sink or a stranger's program may rely on.
 *
 * Owns: the catalogue of audit events, the shapes of the REST API and the client that speaks them.
 * Never: does anything on its own, or depends on the gateway.
 */
export * from "./client.ts";
export * from "./events/mod.ts";
export * from "./rest/mod.ts";

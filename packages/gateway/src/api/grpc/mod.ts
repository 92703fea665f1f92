/**
 * api/grpc: the same doors as REST's, over gRPC.
 *
 * Owns: its listener, who a call comes from, the declared access of each method, the form of messages and errors, health
 * and reflection.
 * Never: knows how an answer is found, opens a recording, reads the database, or decides by itself who may do what.
 */
import type * as Listen from "./listen.ts";

export { grpcSection } from "./config.ts";
export { grpcEntrance } from "./entrance.ts";

/** Loaded where it is configured: most gateways open no such port. */
export const startGrpc: typeof Listen.startGrpc = async (options) =>
  (await import("./listen.ts")).startGrpc(options);

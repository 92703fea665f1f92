/**
 * api/grpc: the same doors as REST's, over gRPC.
 *
 * Owns: its listener, who a call comes from, the declared access of each method, the form of messages and errors, health
 * and reflection.
 * Never: knows how an answer is found, opens a recording, reads the database, or decides by itself who may do what.
 */
export { grpcSection } from "./config.ts";
export { grpcEntrance } from "./entrance.ts";
export { startGrpc } from "./listen.ts";

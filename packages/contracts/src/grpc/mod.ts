/**
 * contracts/grpc: the public words of the gRPC API, generated from `proto/`.
 *
 * Owns: nothing by hand; `generated/` is written by `npm run grpc-code`.
 * Never: means anything that `proto/` does not say.
 */
export * from "./generated/gatehouse/v1/audit_pb.js";
export * from "./generated/gatehouse/v1/frame_pb.js";
export * from "./generated/gatehouse/v1/problem_pb.js";
export * from "./generated/gatehouse/v1/recording_pb.js";
export * from "./generated/gatehouse/v1/session_pb.js";
export * from "./generated/grpc/health/v1/health_pb.js";
export * from "./generated/grpc/reflection/v1/reflection_pb.js";

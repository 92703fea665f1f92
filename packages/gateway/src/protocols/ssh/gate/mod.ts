/**
 * ssh/gate: where people's SSH clients come in, and from where targets are reached.
 *
 * Owns: the listener and its limits, who and what a connection addresses, admission before dialling, the connection to
 * the target, what passes between the two (recorded before it is seen), forwards, `ssh -J`, and the demo target.
 * Never: decides who somebody is or what they may do, keeps a secret, or passes a byte whose frame is not durable.
 */
export type {
  Gate,
  GateLimits,
  GateLog,
  GateOptions,
  People,
  Person,
  PersonAttempt,
  SshTarget,
  TargetCredential,
  TargetPolicy,
  Targets,
} from "./door.ts";
export { personCertificate } from "./certificates.ts";
export { createGate } from "./gate.ts";
export { proveCredential } from "./prove.ts";
export { type ScannedKey, scanHostKeys } from "./scan.ts";

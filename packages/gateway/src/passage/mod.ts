/**
 * passage: what the engines of protocols have in common, and above all those that are entered by a password inside TLS.
 *
 * Owns: what a session keeps of the decision that let it in; the port with its limits, the gate's certificate, the sign-in
 * by connection secret or certificate, the authority that signs those certificates, which targets somebody may enter so, TLS
 * to a target and whom it is trusted by, and the order in which recorded bytes pass.
 * Never: knows a protocol's messages, dials a target before its session is admitted, or sends a credential to a server
 * that has not proved itself.
 */
export { admitted } from "./admitted.ts";
export { Arrivals, type ArrivalLimits, farewellMs } from "./arrivals.ts";
export { ByteQueue } from "./byte-queue.ts";
export { type GateCertificate, gateCertificate, makeCertificate, readCertificate } from "./certificate.ts";
export { gateContext } from "./gate-context.ts";
export { certificateTargets } from "./certificate-administration.ts";
export { type CertificateTrust, certificateTrust } from "./certificate-trust.ts";
export { ContentDigest } from "./content-digest.ts";
export {
  type TargetPlace,
  type TlsDial,
  auditRejectedCertificate,
  dialTls,
  shownCertificate,
  unreachable,
} from "./dial-tls.ts";
export { type Counted, type KeepLimits, KeptCopy, KeptRows } from "./kept-content.ts";
export {
  type TextSecrets,
  cutText,
  digested,
  maskedValues,
  recordedText,
  textSecrets,
} from "./recorded-text.ts";
export { readStored } from "./read-stored.ts";
export { type PasswordTarget, type ResolveTarget, passwordTargetsOf } from "./resolve-target.ts";
export { type ClientAuthority, openClientAuthority } from "./client-authority.ts";
export { certificateKeys, clientCertificatesSection } from "./config.ts";
export { type DatabasePeople, type SignInAttempt, databasePeople } from "./people.ts";
export { type TargetProof, openProof } from "./target-proof.ts";
export { Spans } from "./spans.ts";
export { TwoSides, waitingBytesMax } from "./two-sides.ts";
export { reviewWords } from "./review-words.ts";

/**
 * ssh/keys: public keys, private keys, signatures, certificates and the trust in a target's host key.
 *
 * Owns: the formats of RFC 4253 §6.6, RFC 5656, RFC 8332, RFC 8709 and OpenSSH's PROTOCOL.key, PROTOCOL.u2f and
 * PROTOCOL.certkeys; which algorithms are good enough; what makes a certificate or a host key acceptable.
 * Never: opens a socket or a file, keeps a key, decides who a person is or what they may reach.
 */
export {
  certificateAlgorithm,
  isCertificateAlgorithm,
  plainAlgorithm,
  signatureAlgorithms,
  verifiableAlgorithms,
} from "./algorithms.ts";
export { issueCertificate, optionText, parseCertificate } from "./certificate.ts";
export { checkCertificate } from "./check-certificate.ts";
export {
  type Certificate,
  type CertificateDemand,
  type CertificateGrant,
  type CertificateRequest,
  type HostTrust,
  type KeyType,
  type PrivateKey,
  type PublicKey,
  type SignatureFlags,
  type Signer,
  keyTypes,
} from "./door.ts";
export { checkHostKey, hostKeyAlgorithmsFor } from "./host-trust.ts";
export { writePrivateKey } from "./openssh-key.ts";
export { generateKey, parsePrivateKey } from "./private-key.ts";
export {
  type KeyLine,
  blobType,
  fingerprint,
  parseKeyLine,
  parsePublicKey,
  parsePublicKeyLine,
  publicKeyLine,
} from "./public-key.ts";
export { type VerifyOptions, signatureFlags, verifySignature } from "./signature.ts";
export { certificateSigner, keySigner } from "./signer.ts";

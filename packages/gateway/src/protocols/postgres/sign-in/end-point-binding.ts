import { type X509Certificate, createHash } from "node:crypto";

/**
 * `tls-server-end-point` (RFC 5929 §4.1): the certificate under the hash of its own signature, SHA-256 in place of MD5 and
 * SHA-1. Undefined for a signature without one, such as Ed25519.
 */
export function endPointBinding(certificate: X509Certificate): Uint8Array | undefined {
  const hash = /sha(?:1|224|256|384|512)|md5/i.exec(certificate.signatureAlgorithm ?? "")?.[0]?.toLowerCase();
  if (hash === undefined) return undefined;
  const name = hash === "md5" || hash === "sha1" ? "sha256" : hash;
  return createHash(name).update(certificate.raw).digest();
}

import { GatehouseError } from "@gatehouse/kernel";

/** The types of public keys taken anywhere; DSA and unsigned-hash oddities are not among them. */
export const publicKeyTypes = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "ssh-rsa",
  "sk-ssh-ed25519@openssh.com",
  "sk-ecdsa-sha2-nistp256@openssh.com",
] as const;
export type PublicKeyType = (typeof publicKeyTypes)[number];

const certificateSuffix = "-cert-v01@openssh.com";

export function isPublicKeyType(type: string): type is PublicKeyType {
  return (publicKeyTypes as readonly string[]).includes(type);
}

export function isCertificateAlgorithm(name: string): boolean {
  return name.endsWith(certificateSuffix);
}

/** `ssh-ed25519` to `ssh-ed25519-cert-v01@openssh.com`; a security key's own `@openssh.com` moves to the end. */
export function certificateAlgorithm(plain: string): string {
  return plain.replace(/@openssh\.com$/, "") + certificateSuffix;
}

/** The reverse: the algorithm of the signature itself, which never names the certificate. */
export function plainAlgorithm(name: string): string {
  if (!isCertificateAlgorithm(name)) return name;
  const base = name.slice(0, -certificateSuffix.length);
  return base.startsWith("sk-") ? `${base}@openssh.com` : base;
}

/**
 * The signature algorithms a key of this type may sign with, best first. RSA never with SHA-1: `ssh-rsa` names a key
 * type here and no signature (RFC 8332 §3).
 */
export function signatureAlgorithms(type: string): readonly string[] {
  return type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [type];
}

/** Everything `verifySignature` can check, best first: what `server-sig-algs` may list (RFC 8308 §3.1). */
export const verifiableAlgorithms: readonly string[] = publicKeyTypes.flatMap((type) =>
  signatureAlgorithms(type).flatMap((plain) => [certificateAlgorithm(plain), plain]),
);

export type Curve = { name: string; jwk: string; hash: string; fieldBytes: number };

/** RFC 5656 §6.2.1: the hash follows the size of the curve. */
export function curveOf(type: string): Curve {
  switch (type) {
    case "ecdsa-sha2-nistp256":
    case "sk-ecdsa-sha2-nistp256@openssh.com":
      return { name: "nistp256", jwk: "P-256", hash: "sha256", fieldBytes: 32 };
    case "ecdsa-sha2-nistp384":
      return { name: "nistp384", jwk: "P-384", hash: "sha384", fieldBytes: 48 };
    case "ecdsa-sha2-nistp521":
      return { name: "nistp521", jwk: "P-521", hash: "sha512", fieldBytes: 66 };
    default:
      throw new GatehouseError({ code: "internal", op: "ssh.keys", message: `${type} has no curve` });
  }
}

/** The other way round, from the name JWK uses. */
export function typeOfCurve(jwkCurve: string): PublicKeyType | undefined {
  switch (jwkCurve) {
    case "P-256":
      return "ecdsa-sha2-nistp256";
    case "P-384":
      return "ecdsa-sha2-nistp384";
    case "P-521":
      return "ecdsa-sha2-nistp521";
    default:
      return undefined;
  }
}

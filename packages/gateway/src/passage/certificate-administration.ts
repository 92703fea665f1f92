import type { X509Certificate } from "node:crypto";
import type { CredentialWrite, HostKey, HostTrust, Target } from "@gatehouse/contracts/rest";
import type { JsonObject } from "../directory/mod.ts";
import { certificateFingerprint } from "./certificate.ts";
import { type SealedProof, sealedProof } from "./target-proof.ts";
import { certificateFrom, certificateTrust } from "./certificate-trust.ts";

/**
 * What administration asks about targets that prove themselves by TLS and let the gate in by a password or a certificate: their "host keys"
 * are certificates, in PEM. The protocols' door has the type.
 */
export function certificateTargets(options: {
  protocol: string;
  scan(host: string, port: number): Promise<X509Certificate>;
}) {
  return {
    protocol: options.protocol,
    hostTrustOf(stored: JsonObject): Target["hostTrust"] {
      const { pinned, authorities } = certificateTrust(stored);
      if (authorities.length > 0) return { kind: "ca", keys: authorities.map(words) };
      return { kind: pinned.length > 0 ? "pinned" : "none", keys: pinned.map(words) };
    },
    hostTrustFrom(trust: HostTrust): JsonObject {
      const keys = trust.keys.map((text) => certificateFrom(text).toString());
      return { pinned: trust.kind === "pinned" ? keys : [], authorities: trust.kind === "ca" ? keys : [] };
    },
    async scan(host: string, port: number): Promise<HostKey[]> {
      return [words((await options.scan(host, port)).toString())];
    },
    credentialKinds: ["password", "private-key"] as const,
    secretFrom: (credential: CredentialWrite): SealedProof => sealedProof(credential, options.protocol),
  };
}

function words(pem: string): HostKey {
  const certificate = certificateFrom(pem);
  return {
    algorithm: `x509-${certificate.publicKey.asymmetricKeyType ?? "unknown"}`,
    fingerprint: certificateFingerprint(certificate.raw),
    publicKey: certificate.toString(),
  };
}

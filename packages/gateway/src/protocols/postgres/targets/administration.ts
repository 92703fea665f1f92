import type { X509Certificate } from "node:crypto";
import type { HostKey } from "@gatehouse/contracts/rest";
import { GatehouseError, utf8 } from "@gatehouse/kernel";
import type { TargetAdministration } from "../../door.ts";
import { certificateFingerprint } from "../sign-in/certificate.ts";
import { certificateFrom, postgresTrust } from "./trust.ts";

/** What administration asks about PostgreSQL targets: their "host keys" are TLS certificates, in PEM. */
export function postgresTargets(options: {
  scan(host: string, port: number): Promise<X509Certificate>;
}): TargetAdministration {
  return {
    protocol: "postgres",
    permitsOf: () => ({ localForward: false, remoteForward: false, agentForward: false, x11Forward: false }),
    // No permission of the list has a meaning here, so none is kept.
    policyWith: (policy) => policy,
    hostTrustOf(stored) {
      const { pinned, authorities } = postgresTrust(stored);
      if (authorities.length > 0) return { kind: "ca", keys: authorities.map(words) };
      return { kind: pinned.length > 0 ? "pinned" : "none", keys: pinned.map(words) };
    },
    hostTrustFrom(trust) {
      const keys = trust.keys.map((text) => certificateFrom(text).toString());
      return { pinned: trust.kind === "pinned" ? keys : [], authorities: trust.kind === "ca" ? keys : [] };
    },
    async scan(host, port) {
      return [words((await options.scan(host, port)).toString())];
    },
    secretFrom(credential) {
      if (credential.kind !== "password")
        throw new GatehouseError({
          code: "invalid",
          op: "postgres.credential",
          message: "the gate signs in to PostgreSQL with a password",
        });
      return { kind: "password", secret: utf8(credential.password) };
    },
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

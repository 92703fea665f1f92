import { GatehouseError, isGatehouseError } from "@gatehouse/kernel";
import {
  certificateAlgorithm,
  isCertificateAlgorithm,
  publicKeyTypes,
  signatureAlgorithms,
} from "./algorithms.ts";
import { parseCertificate } from "./certificate.ts";
import { checkCertificate } from "./check-certificate.ts";
import type { HostTrust } from "./door.ts";
import { blobType, fingerprint } from "./public-key.ts";

/**
 * Compares the host key a target offered with what an administrator trusts. Nothing is learned here: a key that is
 * not known throws `denied`, and only an administrator's pin changes that. `details` carries `offered`, `expected`
 * and `hostname` for the audit event.
 */
export function checkHostKey(trust: HostTrust, blob: Uint8Array, hostname: string, nowMs: number): void {
  const offered = fingerprint(blob);
  // A pinned key may be offered inside a certificate, of whatever CA: it is still that key.
  if (trust.pinned.some((pin) => fingerprint(pin) === offered)) return;
  let cause: GatehouseError | undefined;
  if (trust.authorities.length > 0 && isCertificateAlgorithm(blobType(blob))) {
    try {
      const principals = trust.principals ?? [hostname];
      checkCertificate(parseCertificate(blob), {
        authorities: trust.authorities,
        kind: "host",
        principals,
        nowMs,
      });
      return;
    } catch (error) {
      if (!isGatehouseError(error)) throw error;
      cause = error;
    }
  }
  throw untrusted(trust, hostname, offered, cause);
}

function untrusted(trust: HostTrust, hostname: string, offered: string, cause: GatehouseError | undefined) {
  const expected = [
    ...trust.pinned.map((pin) => fingerprint(pin)),
    ...trust.authorities.map((ca) => `a certificate by ${fingerprint(ca)}`),
  ].join(" or ");
  const why = cause === undefined ? "" : ` (${cause.message})`;
  const first = expected === "";
  return new GatehouseError({
    code: "denied",
    op: "ssh.host_key",
    message: first
      ? `the host key of ${hostname} is not known: it offered ${offered}${why}`
      : `the host key of ${hostname} is not the trusted one: it offered ${offered}, expected was ${expected}${why}`,
    hint: first
      ? "An administrator must check this fingerprint on the host itself and pin it to the target."
      : "If the host was re-installed, an administrator must check the new fingerprint on the host and pin it to the target again; otherwise somebody may be in between.",
    details: { hostname, offered, expected },
    cause,
  });
}

/**
 * Host key algorithms to ask a target for. What is trusted comes first, so the target offers that key; the others
 * follow, so that a changed key ends in `checkHostKey`'s clear words and not in a failed negotiation.
 */
export function hostKeyAlgorithmsFor(trust: HostTrust): string[] {
  const types = new Set(trust.pinned.map((pin) => blobType(pin)));
  const plain = publicKeyTypes.filter((type) => !type.startsWith("sk-")).flatMap(signatureAlgorithms);
  const pinned = plain.filter((name) => types.has(name.startsWith("rsa-") ? "ssh-rsa" : name));
  const certificates = plain.map(certificateAlgorithm);
  return [
    ...new Set(trust.authorities.length > 0 ? [...certificates, ...pinned, ...plain] : [...pinned, ...plain]),
  ];
}

import type { Clock, Random } from "@gatehouse/kernel";
import {
  type Certificate,
  type PublicKey,
  type Signer,
  certificateAlgorithm,
  certificateSigner,
  generateKey,
  issueCertificate,
  parsePublicKey,
  plainAlgorithm,
} from "../keys/mod.ts";
import type { Person } from "./door.ts";

/** Clocks differ; a certificate is good from a little before it was made. */
const backdateS = 300;
/** A login happens within seconds; the connection outlives its certificate. */
const userLifetimeS = 300;
/** A client that re-keys sees the certificate again. */
const hostLifetimeS = 24 * 3600;
/** The gate's own certificate is made anew at half of that. */
export const hostRenewalMs = (hostLifetimeS * 1000) / 2;

/** A new key with a certificate for one login on a target, in the person's name. The key is never stored. */
export function userCertificate(options: {
  ca: Signer;
  login: string;
  person: Person;
  clock: Pick<Clock, "nowMs">;
  random: Random;
}): Signer {
  const key = generateKey("ed25519");
  const certificate = issue({
    ...options,
    key: key.public,
    kind: "user",
    // What the target's own sshd log says about who this was.
    keyId: `gatehouse:${options.person.name}`,
    principals: [options.login],
    lifetimeS: userLifetimeS,
    // sshd refuses what is not named here; what the target's policy forbids is held by the gate already.
    extensions: {
      "permit-pty": "",
      "permit-port-forwarding": "",
      "permit-agent-forwarding": "",
      "permit-X11-forwarding": "",
    },
  });
  return certificateSigner(key, certificate);
}

/**
 * A certificate for a person's own key, to come through this gate with. It has no extensions: the gate asks each target's
 * policy what is allowed, and no other server is meant to take it.
 */
export function personCertificate(options: {
  ca: Signer;
  key: PublicKey;
  person: Person;
  serial: bigint;
  expiresAtMs: number;
  /** The only address that it is good from. */
  sourceAddress?: string | undefined;
  clock: Pick<Clock, "nowMs">;
  random: Random;
}): Certificate {
  const { ca, key, person, serial, sourceAddress, clock, random } = options;
  return issueCertificate({
    ca,
    key,
    kind: "user",
    keyId: `gatehouse:${person.name}`,
    principals: [person.name],
    validAfter: BigInt(Math.floor(clock.nowMs() / 1000) - backdateS),
    validBefore: BigInt(Math.floor(options.expiresAtMs / 1000)),
    serial,
    ...(sourceAddress !== undefined && { criticalOptions: { "source-address": sourceAddress } }),
    random,
  });
}

/**
 * The gate's own host keys, certified for its own names or for the inner name of `ssh -J`, and then plain: a client that
 * has the CA sees the certificate, one that has not sees the same keys under every name and can pin them.
 */
export function certifiedHostKeys(options: {
  ca: Signer;
  hostKeys: readonly Signer[];
  hostNames: readonly string[];
  clock: Pick<Clock, "nowMs">;
  random: Random;
}): Signer[] {
  const certified = options.hostKeys.map((hostKey): Signer => {
    const certificate = issue({
      ...options,
      key: parsePublicKey(hostKey.publicBlob),
      kind: "host",
      keyId: `gatehouse:${options.hostNames[0] ?? ""}`,
      principals: options.hostNames,
      lifetimeS: hostLifetimeS,
    });
    return {
      algorithms: hostKey.algorithms.map(certificateAlgorithm),
      publicBlob: certificate.blob,
      sign: (algorithm, data) => hostKey.sign(plainAlgorithm(algorithm), data),
    };
  });
  return [...certified, ...options.hostKeys];
}

function issue(options: {
  ca: Signer;
  key: PublicKey;
  kind: "user" | "host";
  keyId: string;
  principals: readonly string[];
  lifetimeS: number;
  extensions?: Record<string, string>;
  clock: Pick<Clock, "nowMs">;
  random: Random;
}): Certificate {
  const { ca, key, kind, keyId, principals, lifetimeS, extensions, clock, random } = options;
  const nowS = BigInt(Math.floor(clock.nowMs() / 1000));
  const serialBytes = random.bytes(8);
  return issueCertificate({
    ca,
    key,
    kind,
    keyId,
    principals,
    validAfter: nowS - BigInt(backdateS),
    validBefore: nowS + BigInt(lifetimeS),
    serial: new DataView(serialBytes.buffer, serialBytes.byteOffset, 8).getBigUint64(0),
    ...(extensions && { extensions }),
    random,
  });
}

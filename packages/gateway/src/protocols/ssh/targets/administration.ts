import { GatehouseError, type Random, fromUtf8, utf8 } from "@gatehouse/kernel";
import type { HostKey } from "@gatehouse/contracts/rest";
import type { ProvedSignIn, TargetAdministration } from "../../door.ts";
import type { SshTarget } from "../gate/door.ts";
import {
  blobType,
  fingerprint,
  keySigner,
  parsePrivateKey,
  parsePublicKeyLine,
  publicKeyLine,
  writePrivateKey,
} from "../keys/mod.ts";
import { sshHostTrust, sshPolicy, storedHostTrust } from "./policy.ts";

/** What administration asks about SSH targets. `scan` dials and returns the blobs that the target shows. */
export function sshTargets(options: {
  random: Random;
  scan(host: string, port: number): Promise<readonly Uint8Array[]>;
  prove(
    target: Pick<SshTarget, "id" | "name" | "host" | "port" | "login" | "hostTrust" | "credential">,
    by: ProvedSignIn["by"],
  ): Promise<void>;
}): TargetAdministration {
  return {
    protocol: "ssh",
    permitsOf(policy) {
      const { localForward, remoteForward, agentForward, x11Forward } = sshPolicy(policy);
      return { localForward, remoteForward, agentForward, x11Forward };
    },
    policyWith(policy, permits) {
      const given = Object.fromEntries(Object.entries(permits).filter(([, value]) => value !== undefined));
      const { env, ...rest } = { ...sshPolicy(policy), ...given };
      return env === undefined ? rest : { ...rest, env };
    },
    hostTrustOf(stored) {
      const { pinned, authorities } = sshHostTrust(stored);
      if (authorities.length > 0) return { kind: "ca", keys: authorities.map(words) };
      return { kind: pinned.length > 0 ? "pinned" : "none", keys: pinned.map(words) };
    },
    hostTrustFrom(trust) {
      const blobs = trust.keys.map((line) => parsePublicKeyLine(line).blob);
      return storedHostTrust({
        pinned: trust.kind === "pinned" ? blobs : [],
        authorities: trust.kind === "ca" ? blobs : [],
      });
    },
    async scan(host, port) {
      return (await options.scan(host, port)).map(words);
    },
    prove: ({ target: { id, name, host, port, hostTrust }, login, secret, by }) =>
      options.prove(
        {
          id,
          name,
          host,
          port,
          login,
          hostTrust: sshHostTrust(hostTrust),
          credential:
            secret.kind === "password"
              ? { type: "password", open: async () => fromUtf8(secret.secret) }
              : { type: "key", open: async () => keySigner(parsePrivateKey(fromUtf8(secret.secret))) },
        },
        by,
      ),
    credentialKinds: ["certificate", "private-key", "password"],
    secretFrom(credential) {
      switch (credential.kind) {
        case "password":
          return { kind: "password", secret: utf8(credential.password) };
        case "private-key": {
          if (credential.password !== undefined)
            throw new GatehouseError({
              code: "invalid",
              op: "ssh.credential",
              message: "a login at an SSH server has a key or a password, not both",
            });
          // Read now, so that a key that cannot be used is refused here and not at the next session.
          const key = parsePrivateKey(credential.privateKey, credential.passphrase);
          return { kind: "key", secret: utf8(writePrivateKey(key, { random: options.random })) };
        }
        case "certificate":
          return undefined;
        default:
          throw new GatehouseError({
            code: "invalid",
            op: "ssh.credential",
            message: "unknown kind of credential",
          });
      }
    },
  };
}

function words(blob: Uint8Array): HostKey {
  return { algorithm: blobType(blob), fingerprint: fingerprint(blob), publicKey: publicKeyLine(blob) };
}

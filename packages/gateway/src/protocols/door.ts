import type { CredentialWrite, HostKey, HostTrust, Target } from "@gatehouse/contracts/rest";
import type { JsonObject } from "../directory/mod.ts";

/**
 * What administration must ask a protocol about its targets. The directory keeps `policy` and `hostTrust` as JSON
 * whose shape only the protocol knows; secrets are checked by it before they are sealed.
 */
export type TargetAdministration = {
  /** The protocol's name, as targets carry it. */
  readonly protocol: string;
  /** Its sessions are of statements, and a target may have rules about them. */
  readonly readsStatements?: true;
  permitsOf(policy: JsonObject): Target["permits"];
  /** The policy with these permissions changed and everything else kept. */
  policyWith(
    policy: JsonObject,
    permits: Partial<{ [K in keyof Target["permits"]]: boolean | undefined }>,
  ): JsonObject;
  hostTrustOf(stored: JsonObject): Target["hostTrust"];
  /** Throws `invalid` for what is no public key. */
  hostTrustFrom(trust: HostTrust): JsonObject;
  /** Dials and reads what the target shows, trusting nothing. Throws `unavailable` or `timeout`. */
  scan(host: string, port: number): Promise<HostKey[]>;
  /** The stored form of a secret. Throws `invalid` for a key that cannot be read. `undefined`: nothing is stored. */
  secretFrom(credential: CredentialWrite): { kind: "key" | "password"; secret: Uint8Array } | undefined;
};

import type { CredentialWrite, HostKey, HostTrust, Target } from "@gatehouse/contracts/rest";
import type { JsonObject, Target as StoredTarget } from "../directory/mod.ts";

/** As whom, with what, and who wants to know. */
export type ProvedSignIn = {
  target: Pick<StoredTarget, "id" | "name" | "host" | "port" | "hostTrust">;
  login: string;
  secret: { kind: "key" | "password"; secret: Uint8Array };
  by: { id: string; name: string; remoteAddress: string };
};

/**
 * What administration must ask a protocol about its targets. The directory keeps `policy` and `hostTrust` as JSON
 * whose shape only the protocol knows; secrets are checked by it before they are sealed.
 */
export type TargetAdministration = {
  /** The protocol's name, as targets carry it. */
  readonly protocol: string;
  /** Its sessions are of statements, and a target may have rules about them. */
  readonly readsStatements?: true;
  /** Each permission that the protocol has, and whether it is given. */
  permitsOf(policy: JsonObject): Target["permits"];
  /** The policy with these permissions changed and everything else kept. */
  policyWith(policy: JsonObject, permits: Target["permits"]): JsonObject;
  hostTrustOf(stored: JsonObject): Target["hostTrust"];
  /** Throws `invalid` for what is no public key. */
  hostTrustFrom(trust: HostTrust): JsonObject;
  /** Dials and reads what the target shows, trusting nothing. Throws `unavailable` or `timeout`. */
  scan(host: string, port: number): Promise<HostKey[]>;
  /**
   * Signs in to a target with a secret in its stored form, and leaves again: nothing is opened there. Rejects with `denied`
   * where it is not taken or the target proves itself by nothing that is trusted, with `unavailable`, `timeout`.
   */
  prove(signIn: ProvedSignIn): Promise<void>;
  /** What a login there may have. */
  readonly credentialKinds: readonly CredentialWrite["kind"][];
  /** The stored form of a secret. Throws `invalid` for a key that cannot be read. `undefined`: nothing is stored. */
  secretFrom(credential: CredentialWrite): { kind: "key" | "password"; secret: Uint8Array } | undefined;
};

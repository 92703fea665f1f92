import { type Clock, GatehouseError, type Random, newId } from "@gatehouse/kernel";
import type { SealedCredential, SealedCredentials } from "../directory/mod.ts";
import { type SealingKeys, open, seal } from "./envelope.ts";
import { Secret } from "./secret.ts";

/** Sealing for secrets of another room, which keeps the envelopes itself. Each opens only for the thing it was sealed for. */
export function sealingBy({ keys, random }: { keys: SealingKeys; random: Random }) {
  return {
    seal: (secret: Uint8Array, { id, kind }: { id: string; kind: string }) =>
      seal(secret, { credentialId: id, kind }, { keys, random }),
    open: (envelope: Uint8Array, { id, kind }: { id: string; kind: string }) =>
      open(envelope, { credentialId: id, kind }, keys),
  };
}

/** What may be known of a stored secret. */
type CredentialInfo = Omit<SealedCredential, "envelope">;

/** Secrets that open targets. They are given, replaced and used; nothing reads them out. */
export type Credentials = {
  /** The new credential's id. `conflict` when the name is taken, `too_large` beyond 64 KiB. */
  create(credential: { name: string; kind: string; secret: Secret }): Promise<string>;
  /** `not_found` when there is none. */
  replace(id: string, change: { kind: string; secret: Secret }): Promise<void>;
  /** `conflict` while a target's login uses it; false when there was none. */
  remove(id: string): Promise<boolean>;
  list(): Promise<readonly CredentialInfo[]>;
  /**
   * Opens a secret for the length of one use, and wipes it after. `not_found`, `corrupt`, or `unavailable` when the key
   * is not here.
   */
  withSecret<T>(id: string, use: (secret: Secret, info: CredentialInfo) => T | Promise<T>): Promise<T>;
};

export function credentialsIn({
  sealed,
  keys,
  clock,
  random,
}: {
  sealed: SealedCredentials;
  keys: SealingKeys;
  clock: Pick<Clock, "nowMs">;
  random: Random;
}): Credentials {
  return {
    async create({ name, kind, secret }) {
      const nowMs = clock.nowMs();
      const id = newId(nowMs, random);
      const envelope = seal(secret.bytes(), { credentialId: id, kind }, { keys, random });
      await sealed.insert({ id, name, kind, envelope, createdAtMs: nowMs, updatedAtMs: nowMs });
      return id;
    },
    async replace(id, { kind, secret }) {
      const envelope = seal(secret.bytes(), { credentialId: id, kind }, { keys, random });
      if (!(await sealed.replace(id, { kind, envelope, updatedAtMs: clock.nowMs() }))) throw notFound(id);
    },
    remove: (id) => sealed.remove(id),
    list: () => sealed.list(),
    async withSecret(id, use) {
      const credential = await sealed.byId(id);
      if (!credential) throw notFound(id);
      const { envelope, ...info } = credential;
      const secret = new Secret(open(envelope, { credentialId: id, kind: info.kind }, keys));
      try {
        return await use(secret, info);
      } finally {
        secret.wipe();
      }
    },
  };
}

function notFound(id: string): GatehouseError {
  return new GatehouseError({
    code: "not_found",
    op: "credentials.use",
    message: `no credential has the id ${id}`,
  });
}

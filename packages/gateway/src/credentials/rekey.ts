import { GatehouseError, type Random, equalBytes, toHex } from "@gatehouse/kernel";
import type { SealedEnvelope, SealedEnvelopes } from "../directory/mod.ts";
import { open, seal, sealedUnder } from "./envelope.ts";
import type { Keyring } from "./keyring.ts";

export type Rekeyed = {
  /** Of the key that seals now; not the key. */
  keyId: string;
  /** Secrets that were sealed anew. */
  resealed: number;
  /** Keys that are gone from the file, since nothing needs them. */
  keysDropped: number;
  /** Ids of what could not be opened, and so stays under its key. */
  unreadable: readonly string[];
};

/**
 * Seals everything that is stored anew under a new key, and forgets the old one when nothing needs it. Each step leaves a state
 * that works: the new key is in the file before anything is sealed with it, and the old one stays there until all is. Run again
 * after it was cut off, it goes on with the key that it had made.
 */
export function createRekey(options: {
  keyring: Pick<Keyring, "credentialKeys" | "credentialKeyFile">;
  envelopes: SealedEnvelopes;
  /** Other gateways have the same database: what they do not have they cannot open. */
  shared: boolean;
  random: Random;
}): () => Promise<Rekeyed> {
  const { keyring, envelopes, shared, random } = options;
  const { credentialKeys: keys, credentialKeyFile } = keyring;
  let running = false;

  async function* stale(): AsyncGenerator<SealedEnvelope> {
    for (const table of ["credentials", "factors"] as const) {
      let after = "";
      for (;;) {
        const found = await envelopes.page(table, after);
        const last = found.at(-1);
        if (!last) break;
        after = last.id;
        for (const one of found) if (!equalBytes(sealedUnder(one.envelope), keys[0].id)) yield one;
      }
    }
  }

  async function reseal(): Promise<Pick<Rekeyed, "resealed" | "unreadable">> {
    let resealed = 0;
    const unreadable: string[] = [];
    for await (const one of stale()) {
      const place = { credentialId: one.id, kind: one.kind };
      let secret: Uint8Array;
      try {
        secret = open(one.envelope, place, keys);
      } catch {
        unreadable.push(one.id);
        continue;
      }
      try {
        // One that somebody replaced meanwhile is met again by the next look.
        if (await envelopes.replace(one, seal(secret, place, { keys, random }))) resealed++;
      } finally {
        secret.fill(0);
      }
    }
    return { resealed, unreadable };
  }

  return async () => {
    if (running)
      throw new GatehouseError({
        code: "conflict",
        op: "credentials.rekey",
        message: "stored secrets are being sealed anew already",
      });
    running = true;
    try {
      // More than one key: somebody put a new one first, or an earlier run was cut off.
      if (keys.length === 1) {
        if (shared) throw sharedKeys();
        await credentialKeyFile.add();
      }
      const first = await reseal();
      // What was sealed under the old key while the first look was under way.
      const second = await reseal();
      const { unreadable } = second;
      const keysDropped = unreadable.length > 0 || shared ? 0 : await credentialKeyFile.keepFirst();
      return {
        keyId: toHex(keys[0].id),
        resealed: first.resealed + second.resealed,
        keysDropped,
        unreadable,
      };
    } finally {
      running = false;
    }
  };
}

function sharedKeys(): GatehouseError {
  return new GatehouseError({
    code: "conflict",
    op: "credentials.rekey",
    message: "several gateways may share this database, and a key made here would be on this one alone",
    hint: "Put a new key into credentials.key of each, behind the one that is there, and restart them; then put it first, restart them again, and run this.",
  });
}

import { type Clock, fromBase64, toBase64 } from "@gatehouse/kernel";
import type { Kysely, Selectable } from "kysely";
import type { Tables } from "./schema.ts";

/** What somebody proves themselves with beside a password. */
export type Factor = {
  id: string;
  userId: string;
  /** What they call it. */
  name: string;
  createdAtMs: number;
  lastUsedAtMs?: number;
} & FactorSecret;

type FactorSecret =
  | {
      kind: "totp";
      /** The secret as it was sealed elsewhere, for this factor's id. */
      envelope: Uint8Array;
    }
  | {
      kind: "passkey";
      /** Base64url, as browsers name it. */
      credentialId: string;
      /** COSE. */
      publicKey: Uint8Array;
      signCount: number;
      transports: readonly string[];
      /** The host that it was made for. */
      rpId: string;
    };

export type NewFactor = { id: string; userId: string; name: string } & (
  | (Extract<FactorSecret, { kind: "totp" }> & { lastStep: number })
  | Extract<FactorSecret, { kind: "passkey" }>
);

export type Factors = {
  /** In the order in which they were added. */
  ofUser(userId: string): Promise<readonly Factor[]>;
  byCredential(credentialId: string): Promise<Factor | undefined>;
  /** With recovery codes of that person instead of those there were, where they are given. `conflict` for a known passkey. */
  add(factor: NewFactor, recoveryHashes?: readonly string[]): Promise<Factor>;
  /** False when there was none. */
  rename(userId: string, id: string, name: string): Promise<boolean>;
  /** The one that was removed. With somebody's last one their recovery codes go. */
  remove(userId: string, id: string): Promise<boolean>;
  /** True once for each step, in their order: of two who show the same code only one is let in. */
  takeStep(id: string, step: number): Promise<boolean>;
  /** True unless the counter did not move on, where there is one. */
  usedPasskey(id: string, signCount: number): Promise<boolean>;
  recoveryCodesLeft(userId: string): Promise<number>;
  setRecoveryCodes(userId: string, hashes: readonly string[]): Promise<void>;
  /** True once. */
  takeRecoveryCode(userId: string, hash: string): Promise<boolean>;
};

export function factorsIn({
  database,
  clock,
}: {
  database: Kysely<Tables>;
  clock: Pick<Clock, "nowMs">;
}): Factors {
  async function setCodes(transaction: Kysely<Tables>, userId: string, hashes: readonly string[]) {
    await transaction.deleteFrom("recovery_codes").where("user_id", "=", userId).execute();
    if (hashes.length === 0) return;
    const nowMs = clock.nowMs();
    await transaction
      .insertInto("recovery_codes")
      .values(hashes.map((hash) => ({ hash, user_id: userId, created_at: nowMs })))
      .execute();
  }

  return {
    async ofUser(userId) {
      const rows = await database
        .selectFrom("factors")
        .selectAll()
        .where("user_id", "=", userId)
        .orderBy("id")
        .execute();
      return rows.map(factorOf);
    },
    async byCredential(credentialId) {
      const row = await database
        .selectFrom("factors")
        .selectAll()
        .where("credential_id", "=", credentialId)
        .executeTakeFirst();
      return row && factorOf(row);
    },
    async add(factor, recoveryHashes) {
      const passkey = factor.kind === "passkey" ? factor : undefined;
      const row = {
        id: factor.id,
        user_id: factor.userId,
        kind: factor.kind,
        name: factor.name,
        envelope: factor.kind === "totp" ? toBase64(factor.envelope) : null,
        last_step: factor.kind === "totp" ? factor.lastStep : null,
        credential_id: passkey?.credentialId ?? null,
        public_key: passkey ? toBase64(passkey.publicKey) : null,
        sign_count: passkey?.signCount ?? null,
        transports: passkey ? JSON.stringify(passkey.transports) : null,
        rp_id: passkey?.rpId ?? null,
        created_at: clock.nowMs(),
        last_used_at: null,
      };
      await database.transaction().execute(async (transaction) => {
        await transaction.insertInto("factors").values(row).execute();
        if (recoveryHashes) await setCodes(transaction, factor.userId, recoveryHashes);
      });
      return factorOf(row);
    },
    async rename(userId, id, name) {
      const { numUpdatedRows } = await database
        .updateTable("factors")
        .set({ name })
        .where("user_id", "=", userId)
        .where("id", "=", id)
        .executeTakeFirstOrThrow();
      return numUpdatedRows > 0n;
    },
    remove: (userId, id) =>
      database.transaction().execute(async (transaction) => {
        const { numDeletedRows } = await transaction
          .deleteFrom("factors")
          .where("user_id", "=", userId)
          .where("id", "=", id)
          .executeTakeFirstOrThrow();
        const left = await transaction
          .selectFrom("factors")
          .select("id")
          .where("user_id", "=", userId)
          .executeTakeFirst();
        if (!left) await setCodes(transaction, userId, []);
        return numDeletedRows > 0n;
      }),
    async takeStep(id, step) {
      const { numUpdatedRows } = await database
        .updateTable("factors")
        .set({ last_step: step, last_used_at: clock.nowMs() })
        .where("id", "=", id)
        .where("last_step", "<", step)
        .executeTakeFirstOrThrow();
      return numUpdatedRows > 0n;
    },
    async usedPasskey(id, signCount) {
      const { numUpdatedRows } = await database
        .updateTable("factors")
        .set({ sign_count: signCount, last_used_at: clock.nowMs() })
        .where("id", "=", id)
        // WebAuthn §6.1.1: 0 says that the authenticator counts nothing.
        .$if(signCount > 0, (query) => query.where("sign_count", "<", signCount))
        .executeTakeFirstOrThrow();
      return numUpdatedRows > 0n;
    },
    async recoveryCodesLeft(userId) {
      const { count } = await database
        .selectFrom("recovery_codes")
        .select(({ fn }) => fn.countAll<number>().as("count"))
        .where("user_id", "=", userId)
        .executeTakeFirstOrThrow();
      return count;
    },
    setRecoveryCodes: (userId, hashes) =>
      database.transaction().execute((transaction) => setCodes(transaction, userId, hashes)),
    async takeRecoveryCode(userId, hash) {
      const { numDeletedRows } = await database
        .deleteFrom("recovery_codes")
        .where("user_id", "=", userId)
        .where("hash", "=", hash)
        .executeTakeFirstOrThrow();
      return numDeletedRows > 0n;
    },
  };
}

function factorOf(row: Selectable<Tables["factors"]>): Factor {
  const facts = {
    id: row.id,
    userId: row.user_id,
    name: row.name,
    createdAtMs: row.created_at,
    ...(row.last_used_at !== null && { lastUsedAtMs: row.last_used_at }),
  };
  if (row.kind === "totp") return { ...facts, kind: "totp", envelope: fromBase64(row.envelope ?? "") };
  return {
    ...facts,
    kind: "passkey",
    credentialId: row.credential_id ?? "",
    publicKey: fromBase64(row.public_key ?? ""),
    signCount: row.sign_count ?? 0,
    transports: JSON.parse(row.transports ?? "[]") as string[],
    rpId: row.rp_id ?? "",
  };
}

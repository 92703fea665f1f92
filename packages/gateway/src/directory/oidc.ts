import type { Clock } from "@gatehouse/kernel";
import type { Kysely } from "kysely";
import { refusing } from "./refusals.ts";
import type { Tables } from "./schema.ts";

/** A sign-in that is with the identity provider now. */
export type OidcSignIn = { stateHash: string; browserHash: string; nonce: string; verifier: string };

export type OidcSignIns = {
  create(signIn: OidcSignIn & { expiresAtMs: number }): Promise<void>;
  /** Once: of any who come with the same state only the first is answered, and only in time. */
  take(stateHash: string): Promise<Omit<OidcSignIn, "stateHash"> | undefined>;
};

/** Which account of an identity provider is which person. */
export type OidcAccounts = {
  userOf(account: { issuer: string; subject: string }): Promise<string | undefined>;
  /** `conflict` when the person has another account there already. */
  link(account: { issuer: string; subject: string; userId: string }): Promise<void>;
};

type Made = { database: Kysely<Tables>; clock: Pick<Clock, "nowMs"> };

export function oidcSignInsIn({ database, clock }: Made): OidcSignIns {
  return {
    async create({ stateHash, browserHash, nonce, verifier, expiresAtMs }) {
      await database.transaction().execute(async (transaction) => {
        await transaction.deleteFrom("oidc_sign_ins").where("expires_at", "<=", clock.nowMs()).execute();
        await transaction
          .insertInto("oidc_sign_ins")
          .values({
            state_hash: stateHash,
            browser_hash: browserHash,
            nonce,
            verifier,
            expires_at: expiresAtMs,
          })
          .execute();
      });
    },
    async take(stateHash) {
      const row = await database
        .deleteFrom("oidc_sign_ins")
        .where("state_hash", "=", stateHash)
        .where("expires_at", ">", clock.nowMs())
        .returningAll()
        .executeTakeFirst();
      return row && { browserHash: row.browser_hash, nonce: row.nonce, verifier: row.verifier };
    },
  };
}

export function oidcAccountsIn({ database, clock }: Made): OidcAccounts {
  return {
    async userOf({ issuer, subject }) {
      const row = await database
        .selectFrom("oidc_accounts")
        .select("user_id")
        .where("issuer", "=", issuer)
        .where("subject", "=", subject)
        .executeTakeFirst();
      return row?.user_id;
    },
    async link({ issuer, subject, userId }) {
      await refusing("conflict", "this person is another account of the identity provider already", () =>
        database
          .insertInto("oidc_accounts")
          .values({ issuer, subject, user_id: userId, linked_at: clock.nowMs() })
          .execute(),
      );
    },
  };
}

import type { Clock } from "@gatehouse/kernel";
import type { Kysely, Selectable } from "kysely";
import type { JsonObject } from "./door.ts";
import type { Tables } from "./schema.ts";

/**
 * Something that was begun and is not done yet: a sign-in that waits for its second factor, a factor that is being added, a
 * passkey that was asked for. It opens nothing but its own next step.
 */
export type SignInStep = {
  /** Of the ticket that names it. */
  hash: string;
  kind: string;
  /** Absent where nobody has said yet who they are. */
  userId?: string;
  facts: JsonObject;
  expiresAtMs: number;
};

export type SignInSteps = {
  create(step: SignInStep): Promise<void>;
  /** Only one that has not expired. */
  byHash(hash: string): Promise<SignInStep | undefined>;
  /** False when it is not there any more. */
  note(hash: string, facts: JsonObject): Promise<boolean>;
  /** The step, for one of any who come at once. */
  take(hash: string): Promise<SignInStep | undefined>;
  count(): Promise<number>;
};

export function signInStepsIn({
  database,
  clock,
}: {
  database: Kysely<Tables>;
  clock: Pick<Clock, "nowMs">;
}): SignInSteps {
  return {
    async create({ hash, kind, userId, facts, expiresAtMs }) {
      await database.transaction().execute(async (transaction) => {
        await transaction.deleteFrom("sign_in_steps").where("expires_at", "<=", clock.nowMs()).execute();
        await transaction
          .insertInto("sign_in_steps")
          .values({
            hash,
            kind,
            user_id: userId ?? null,
            facts: JSON.stringify(facts),
            expires_at: expiresAtMs,
          })
          .execute();
      });
    },
    async byHash(hash) {
      const row = await database
        .selectFrom("sign_in_steps")
        .selectAll()
        .where("hash", "=", hash)
        .where("expires_at", ">", clock.nowMs())
        .executeTakeFirst();
      return row && stepOf(row);
    },
    async note(hash, facts) {
      const { numUpdatedRows } = await database
        .updateTable("sign_in_steps")
        .set({ facts: JSON.stringify(facts) })
        .where("hash", "=", hash)
        .executeTakeFirstOrThrow();
      return numUpdatedRows > 0n;
    },
    async take(hash) {
      const row = await database
        .deleteFrom("sign_in_steps")
        .where("hash", "=", hash)
        .where("expires_at", ">", clock.nowMs())
        .returningAll()
        .executeTakeFirst();
      return row && stepOf(row);
    },
    async count() {
      const { count } = await database
        .selectFrom("sign_in_steps")
        .select(({ fn }) => fn.countAll<number>().as("count"))
        .where("expires_at", ">", clock.nowMs())
        .executeTakeFirstOrThrow();
      return count;
    },
  };
}

function stepOf(row: Selectable<Tables["sign_in_steps"]>): SignInStep {
  return {
    hash: row.hash,
    kind: row.kind,
    ...(row.user_id !== null && { userId: row.user_id }),
    facts: JSON.parse(row.facts) as JsonObject,
    expiresAtMs: row.expires_at,
  };
}

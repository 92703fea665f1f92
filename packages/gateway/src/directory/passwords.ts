import type { Clock } from "@gatehouse/kernel";
import type { Kysely } from "kysely";
import type { Tables } from "./schema.ts";

/** People's own passwords: only a slow, salted hash of each, which says itself how it was made. */
export type Passwords = {
  ofUser(userId: string): Promise<{ stored: string; changedAtMs: number } | undefined>;
  set(userId: string, stored: string): Promise<void>;
  /** The same password, hashed anew; nothing where it was changed or removed meanwhile. */
  rehash(userId: string, from: string, to: string): Promise<void>;
  /** False when there was none. */
  remove(userId: string): Promise<boolean>;
};

export function passwordsIn({
  database,
  clock,
}: {
  database: Kysely<Tables>;
  clock: Pick<Clock, "nowMs">;
}): Passwords {
  return {
    async ofUser(userId) {
      const row = await database
        .selectFrom("passwords")
        .select(["stored", "changed_at"])
        .where("user_id", "=", userId)
        .executeTakeFirst();
      return row && { stored: row.stored, changedAtMs: row.changed_at };
    },
    async set(userId, stored) {
      const change = { stored, changed_at: clock.nowMs() };
      await database
        .insertInto("passwords")
        .values({ user_id: userId, ...change })
        .onConflict((conflict) => conflict.column("user_id").doUpdateSet(change))
        .execute();
    },
    async rehash(userId, from, to) {
      await database
        .updateTable("passwords")
        .set({ stored: to })
        .where("user_id", "=", userId)
        .where("stored", "=", from)
        .execute();
    },
    async remove(userId) {
      const { numDeletedRows } = await database
        .deleteFrom("passwords")
        .where("user_id", "=", userId)
        .executeTakeFirstOrThrow();
      return numDeletedRows > 0n;
    },
  };
}

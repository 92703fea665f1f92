import type { Clock } from "@gatehouse/kernel";
import type { Kysely } from "kysely";
import type { Tables } from "./schema.ts";

/** An account or an address that attempts are counted for. */
export type AttemptsAbout = {
  /** A hash, so that what somebody typed where a name belongs is not kept. */
  about: string;
  /** How long to shut it after so many failures in a row. */
  shutMs(failures: number): number;
};

export type SignInAttempts = {
  /**
   * Counts an attempt as failed before it is made, so that many at once are counted too. Where one of these is shut nothing
   * is counted, and the answer is until when.
   */
  take(all: readonly AttemptsAbout[]): Promise<{ shutUntilMs: number } | undefined>;
  /** The attempt succeeded: its failures are forgotten. */
  forget(about: string): Promise<void>;
  /** The attempt succeeded: it alone is taken back. */
  giveBack(about: string): Promise<void>;
};

/** A row of failures is over when nothing was tried for so long. */
const forgottenAfterMs = 24 * 3_600_000;

export function signInAttemptsIn({
  database,
  clock,
}: {
  database: Kysely<Tables>;
  clock: Pick<Clock, "nowMs">;
}): SignInAttempts {
  return {
    async take(all) {
      const nowMs = clock.nowMs();
      const refused: { shutUntilMs: number }[] = [];
      await database
        .transaction()
        .execute(async (transaction) => {
          await transaction
            .deleteFrom("sign_in_attempts")
            .where("last_at", "<=", nowMs - forgottenAfterMs)
            .execute();
          for (const { about, shutMs } of all) {
            // The row is held until the transaction ends, so two attempts never count as one.
            const row = await transaction
              .insertInto("sign_in_attempts")
              .values({ about, failures: 1, last_at: nowMs, shut_until: 0 })
              .onConflict((conflict) =>
                conflict.column("about").doUpdateSet((eb) => ({
                  failures: eb("sign_in_attempts.failures", "+", 1),
                  last_at: nowMs,
                })),
              )
              .returning(["failures", "shut_until"])
              .executeTakeFirstOrThrow();
            if (row.shut_until > nowMs) {
              refused.push({ shutUntilMs: row.shut_until });
              // Undone: who waits as they were told must not wait longer because they asked once too early.
              throw new Refused();
            }
            await transaction
              .updateTable("sign_in_attempts")
              .set({ shut_until: nowMs + shutMs(row.failures) })
              .where("about", "=", about)
              .execute();
          }
        })
        .catch((error: unknown) => {
          if (!(error instanceof Refused)) throw error;
        });
      return refused[0];
    },
    async forget(about) {
      await database.deleteFrom("sign_in_attempts").where("about", "=", about).execute();
    },
    async giveBack(about) {
      await database
        .updateTable("sign_in_attempts")
        .set((eb) => ({ failures: eb("failures", "-", 1), shut_until: 0 }))
        .where("about", "=", about)
        .where("failures", ">", 0)
        .execute();
    },
  };
}

class Refused extends Error {}

import type { Clock } from "@gatehouse/kernel";
import type { Kysely, Selectable } from "kysely";
import type { Tables } from "./schema.ts";

/** A sign-in of the command line, until somebody answers it in a browser and the command fetches what came of it. */
export type CommandSignIn = {
  id: string;
  /** SHA-256 of the command's secret, base64url (RFC 7636 §4.2). */
  challenge: string;
  /** What the command says of its machine: nothing that was proved. */
  client: string;
  remoteAddress: string;
  /** Typed by the person; absent where the answer goes back to the person's own machine. */
  userCode?: string;
  /** On the person's own machine; absent where the person types a code. */
  callback?: string;
  createdAtMs: number;
  expiresAtMs: number;
} & (
  | { state: "pending" }
  | { state: "denied" }
  | {
      state: "approved";
      userId: string;
      /** Of what the callback was given. */
      codeHash?: string;
      approvedFrom: string;
      /** When whoever approved it had last given a second factor. */
      mfaAtMs?: number;
    }
);

export type CommandSignIns = {
  create(
    asked: Pick<
      CommandSignIn,
      "id" | "challenge" | "client" | "remoteAddress" | "userCode" | "callback" | "expiresAtMs"
    > & { intervalMs: number },
  ): Promise<void>;
  /** How many wait, to hold them to a number. */
  count(): Promise<number>;
  /** Only one that has not expired. */
  find(by: { id: string } | { userCode: string }): Promise<CommandSignIn | undefined>;
  /** False when it was answered already, or is no longer there. */
  answer(
    id: string,
    how: { denied: true } | { userId: string; codeHash?: string; approvedFrom: string; mfaAtMs?: number },
  ): Promise<boolean>;
  /** Notes that the command asked; one that asks too soon is told to, and waits longer from now on. */
  asked(id: string): Promise<{ tooSoon: boolean; intervalMs: number }>;
  /** True for one of any who come at once. */
  take(id: string): Promise<boolean>;
};

/** RFC 8628 §3.5: slow_down adds five seconds. */
const slowDownMs = 5_000;
/** The way of two requests is not equally long; a command that keeps its interval is not too soon. */
const tolerance = 0.75;

export function commandSignInsIn({
  database,
  clock,
}: {
  database: Kysely<Tables>;
  clock: Pick<Clock, "nowMs">;
}): CommandSignIns {
  return {
    async create({ id, challenge, client, remoteAddress, userCode, callback, expiresAtMs, intervalMs }) {
      const nowMs = clock.nowMs();
      await database.transaction().execute(async (transaction) => {
        await transaction.deleteFrom("command_sign_ins").where("expires_at", "<=", nowMs).execute();
        await transaction
          .insertInto("command_sign_ins")
          .values({
            id,
            challenge,
            client,
            remote_address: remoteAddress,
            user_code: userCode ?? null,
            callback: callback ?? null,
            state: "pending",
            user_id: null,
            code_hash: null,
            approved_from: null,
            mfa_at: null,
            asked_at: null,
            interval_ms: intervalMs,
            created_at: nowMs,
            expires_at: expiresAtMs,
          })
          .execute();
      });
    },
    async count() {
      const { count } = await database
        .selectFrom("command_sign_ins")
        .select(({ fn }) => fn.countAll<number>().as("count"))
        .where("expires_at", ">", clock.nowMs())
        .executeTakeFirstOrThrow();
      return count;
    },
    async find(by) {
      let query = database.selectFrom("command_sign_ins").selectAll().where("expires_at", ">", clock.nowMs());
      query = "id" in by ? query.where("id", "=", by.id) : query.where("user_code", "=", by.userCode);
      const row = await query.executeTakeFirst();
      return row && signInOf(row);
    },
    async answer(id, how) {
      const { numUpdatedRows } = await database
        .updateTable("command_sign_ins")
        .set(
          "denied" in how
            ? { state: "denied" }
            : {
                state: "approved",
                user_id: how.userId,
                code_hash: how.codeHash ?? null,
                approved_from: how.approvedFrom,
                mfa_at: how.mfaAtMs ?? null,
              },
        )
        .where("id", "=", id)
        .where("state", "=", "pending")
        .where("expires_at", ">", clock.nowMs())
        .executeTakeFirstOrThrow();
      return numUpdatedRows > 0n;
    },
    async asked(id) {
      const nowMs = clock.nowMs();
      const { asked_at, interval_ms } = await database
        .selectFrom("command_sign_ins")
        .select(["asked_at", "interval_ms"])
        .where("id", "=", id)
        .executeTakeFirstOrThrow();
      const tooSoon = asked_at !== null && nowMs - asked_at < interval_ms * tolerance;
      const intervalMs = interval_ms + (tooSoon ? slowDownMs : 0);
      await database
        .updateTable("command_sign_ins")
        .set({ asked_at: nowMs, interval_ms: intervalMs })
        .where("id", "=", id)
        .execute();
      return { tooSoon, intervalMs };
    },
    async take(id) {
      const { numDeletedRows } = await database
        .deleteFrom("command_sign_ins")
        .where("id", "=", id)
        .executeTakeFirstOrThrow();
      return numDeletedRows > 0n;
    },
  };
}

function signInOf(row: Selectable<Tables["command_sign_ins"]>): CommandSignIn {
  const facts = {
    id: row.id,
    challenge: row.challenge,
    client: row.client,
    remoteAddress: row.remote_address,
    ...(row.user_code !== null && { userCode: row.user_code }),
    ...(row.callback !== null && { callback: row.callback }),
    createdAtMs: row.created_at,
    expiresAtMs: row.expires_at,
  };
  if (row.state === "denied") return { ...facts, state: "denied" };
  if (row.state !== "approved" || row.user_id === null) return { ...facts, state: "pending" };
  return {
    ...facts,
    state: "approved",
    userId: row.user_id,
    ...(row.code_hash !== null && { codeHash: row.code_hash }),
    approvedFrom: row.approved_from ?? "",
    ...(row.mfa_at !== null && { mfaAtMs: row.mfa_at }),
  };
}

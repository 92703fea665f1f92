import type { RecordingState } from "@gatehouse/recording/pipeline";
import type { Expression, ExpressionBuilder, Kysely, Selectable, SqlBool } from "kysely";
import type { Hold } from "./door.ts";
import type { Tables } from "./schema.ts";

/** A recording whose time is over or will be. */
export type Expiring = {
  sessionId: string;
  userName: string;
  targetName: string;
  startedAtMs: number;
  state: RecordingState;
  bytes: number;
  retainUntilMs: number;
  lockedUntilMs: number | undefined;
  held: boolean;
};

/** Who removes or reads a recording, and until when the other gateways leave it to them. */
export type Claim = { gatewayId: string; nowMs: number; untilMs: number };

/** Until when recordings are kept, and what becomes of them then. */
export type RecordingKeeping = {
  /** False where it is held already or gone. */
  hold(sessionId: string, hold: Hold): Promise<boolean>;
  /** Who keeps the hold, once the store was asked. */
  kept(sessionId: string, hold: Hold): Promise<void>;
  /** False where it was not held. */
  release(sessionId: string): Promise<boolean>;
  /** Held, in the store, and the store was not yet asked to hold it. */
  unasked(): Promise<readonly string[]>;
  /** One to be removed now, or one whose removal was begun and not finished, which no other gateway claims. */
  due(at: { nowMs: number; except: readonly string[]; gatewayId: string }): Promise<string | undefined>;
  /** From now on it is gone for everybody, and claimed. False where somebody has held it meanwhile, or its time is not over. */
  expire(sessionId: string, claim: Claim): Promise<boolean>;
  /** Of one that is expired, and again while its removal goes on. False where another gateway claims it, or has removed it. */
  claim(sessionId: string, claim: Claim): Promise<boolean>;
  /** Every object of it was removed. */
  removed(sessionId: string, nowMs: number): Promise<void>;
  /** Until when the store itself refuses to remove it. */
  locked(sessionId: string, untilMs: number): Promise<void>;
  /** Sessions that ended before it was written down for how long they are kept. */
  fill(retentionMs: number): Promise<void>;
  /** The first to be removed up to a moment, held ones among them, and how many there are without these. */
  expiring(
    untilMs: number,
    limit: number,
  ): Promise<{ items: readonly Expiring[]; count: number; bytes: number }>;
};

/** States of recordings that lie in the store and wait for nothing any more. */
const resting = ["stored", "held", "corrupt"];

export function recordingKeepingIn({ database }: { database: Kysely<Tables> }): RecordingKeeping {
  const update = (sessionId: string) => database.updateTable("sessions").where("id", "=", sessionId);
  return {
    async hold(sessionId, hold) {
      const { numUpdatedRows } = await update(sessionId)
        .set(({ eb }) => ({
          hold: JSON.stringify(hold),
          recording_state: eb
            .case()
            .when("recording_state", "=", "stored")
            .then("held")
            .else(eb.ref("recording_state"))
            .end(),
        }))
        .where("hold", "is", null)
        .where("recording_state", "!=", "expired")
        .executeTakeFirstOrThrow();
      return numUpdatedRows > 0n;
    },
    async kept(sessionId, hold) {
      await update(sessionId)
        .set({ hold: JSON.stringify(hold) })
        .where("hold", "is not", null)
        .execute();
    },
    async release(sessionId) {
      const { numUpdatedRows } = await update(sessionId)
        .set(({ eb }) => ({
          hold: null,
          recording_state: eb
            .case()
            .when("recording_state", "=", "held")
            .then("stored")
            .else(eb.ref("recording_state"))
            .end(),
        }))
        .where("hold", "is not", null)
        .executeTakeFirstOrThrow();
      return numUpdatedRows > 0n;
    },
    async unasked() {
      const rows = await database
        .selectFrom("sessions")
        .select("id")
        .where("hold", "like", `%"keptBy":"pending"%`)
        .where("recording_state", "in", resting)
        .limit(100)
        .execute();
      return rows.map(({ id }) => id);
    },
    async due({ nowMs, except, gatewayId }) {
      let query = database
        .selectFrom("sessions")
        .select("id")
        .where("retain_until", "<=", nowMs)
        .where(({ eb, and, or }) =>
          or([
            and([
              eb("hold", "is", null),
              eb("recording_state", "in", ["stored", "corrupt"]),
              or([eb("locked_until", "is", null), eb("locked_until", "<=", nowMs)]),
            ]),
            and([
              eb("recording_state", "=", "expired"),
              eb("removed_at", "is", null),
              unclaimed({ gatewayId, nowMs })(eb),
            ]),
          ]),
        )
        .orderBy("retain_until")
        .limit(1);
      if (except.length > 0) query = query.where("id", "not in", except);
      return (await query.executeTakeFirst())?.id;
    },
    async expire(sessionId, { gatewayId, nowMs, untilMs }) {
      const { numUpdatedRows } = await update(sessionId)
        .set({
          recording_state: "expired",
          recording_detail: null,
          removing_by: gatewayId,
          removing_until: untilMs,
        })
        .where("hold", "is", null)
        .where("retain_until", "<=", nowMs)
        .where("recording_state", "in", ["stored", "corrupt"])
        .executeTakeFirstOrThrow();
      return numUpdatedRows > 0n;
    },
    async claim(sessionId, { gatewayId, nowMs, untilMs }) {
      const { numUpdatedRows } = await update(sessionId)
        .set({ removing_by: gatewayId, removing_until: untilMs })
        .where("recording_state", "=", "expired")
        .where("removed_at", "is", null)
        .where(unclaimed({ gatewayId, nowMs }))
        .executeTakeFirstOrThrow();
      return numUpdatedRows > 0n;
    },
    async removed(sessionId, nowMs) {
      await database.deleteFrom("search_filters").where("session_id", "=", sessionId).execute();
      await update(sessionId).set({ removed_at: nowMs }).execute();
    },
    async locked(sessionId, untilMs) {
      await update(sessionId).set({ locked_until: untilMs }).execute();
    },
    async fill(retentionMs) {
      await database
        .updateTable("sessions")
        .set(({ eb }) => ({ retain_until: eb("ended_at", "+", retentionMs) }))
        .where("retain_until", "is", null)
        .where("ended_at", "is not", null)
        .execute();
    },
    async expiring(untilMs, limit) {
      const ending = database
        .selectFrom("sessions")
        .where("recording_state", "in", resting)
        .where("retain_until", "<=", untilMs);
      const total = await ending
        .where("hold", "is", null)
        .select(({ fn }) => [fn.countAll().as("count"), fn.sum("bytes").as("bytes")])
        .executeTakeFirstOrThrow();
      const rows = await ending.selectAll().orderBy("retain_until").orderBy("id").limit(limit).execute();
      return {
        count: Number(total.count),
        bytes: Number(total.bytes ?? 0),
        items: rows.map(expiringOf),
      };
    },
  };
}

/** By another gateway. */
export function unclaimed({ gatewayId, nowMs }: { gatewayId: string; nowMs: number }) {
  return (builder: ExpressionBuilder<Tables, "sessions">): Expression<SqlBool> =>
    builder.or([
      builder("removing_until", "is", null),
      builder("removing_until", "<=", nowMs),
      builder("removing_by", "=", gatewayId),
    ]);
}

function expiringOf(row: Selectable<Tables["sessions"]>): Expiring {
  return {
    sessionId: row.id,
    userName: row.user_name,
    targetName: row.target_name,
    startedAtMs: row.started_at,
    state: row.recording_state as RecordingState,
    bytes: row.bytes ?? 0,
    retainUntilMs: row.retain_until ?? 0,
    lockedUntilMs: row.locked_until ?? undefined,
    held: row.hold !== null,
  };
}

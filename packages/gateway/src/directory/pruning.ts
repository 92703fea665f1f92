import type { Expression, ExpressionBuilder, Kysely, SqlBool } from "kysely";
import type { Tables } from "./schema.ts";

type Place = { index: number; hash: string };

/** What is removed from the database when nobody must keep it any longer. */
export type Pruning = {
  /** The log's first event. */
  first(): Promise<Place | undefined>;
  /**
   * The last event of the log's beginning that may go: everything up to it, at most so many, is older than `beforeMs` and is about
   * no session whose recording is not gone.
   */
  auditDue(at: { beforeMs: number; limit: number }): Promise<Place | undefined>;
  /** All events up to this one, in one statement: there is never half of it. */
  removeEvents(upTo: number): Promise<void>;
  /** Sessions that ended before, whose recordings are gone, and that nobody holds. */
  sessionsDue(at: { beforeMs: number; limit: number }): Promise<readonly string[]>;
  /** With all that is about them, but what was held meanwhile. */
  removeSessions(ids: readonly string[]): Promise<void>;
  /** How many will be due, once the recordings that expire up to `goneByMs` are gone. */
  foreseen(at: {
    sessionsBeforeMs: number;
    eventsBeforeMs: number;
    goneByMs: number;
  }): Promise<{ sessions: number; events: number }>;
};

type Sessions = ExpressionBuilder<Tables, "sessions">;
type Condition = (builder: Sessions) => Expression<SqlBool>;

/** Removed, and nobody has said meanwhile that it must be kept. */
const isGone: Condition = (eb) => eb.and([eb("hold", "is", null), eb("removed_at", "is not", null)]);
const willBeGone =
  (byMs: number): Condition =>
  (eb) =>
    eb.and([
      eb("hold", "is", null),
      eb.or([
        eb("removed_at", "is not", null),
        eb.and([
          eb("recording_state", "in", ["stored", "corrupt", "expired"]),
          eb("retain_until", "<=", byMs),
        ]),
      ]),
    ]);

export function pruningIn({ database }: { database: Kysely<Tables> }): Pruning {
  /** The first event that must stay. */
  async function kept(beforeMs: number, gone: Condition, below?: number): Promise<number | undefined> {
    let query = database
      .selectFrom("audit_events")
      .select("position")
      .where(({ eb, or, exists, selectFrom }) =>
        or([
          eb("time_ms", ">=", beforeMs),
          exists(
            selectFrom("sessions")
              .select("sessions.id")
              .whereRef("sessions.id", "=", "audit_events.session_id")
              .where((sessions) => sessions.not(gone(sessions as unknown as Sessions))),
          ),
        ]),
      )
      .orderBy("position")
      .limit(1);
    if (below !== undefined) query = query.where("position", "<", below);
    return (await query.executeTakeFirst())?.position;
  }
  const placeOf = (row: { position: number; hash: string } | undefined) =>
    row && { index: row.position, hash: row.hash };
  const places = () => database.selectFrom("audit_events").select(["position", "hash"]).limit(1);
  const first = async () => placeOf(await places().orderBy("position").executeTakeFirst());

  return {
    first,
    async auditDue({ beforeMs, limit }) {
      const begin = await first();
      if (!begin) return undefined;
      const below = begin.index + limit;
      const stays = (await kept(beforeMs, isGone, below)) ?? below;
      return placeOf(
        await places().where("position", "<", stays).orderBy("position", "desc").executeTakeFirst(),
      );
    },
    async removeEvents(upTo) {
      await database.deleteFrom("audit_events").where("position", "<=", upTo).execute();
    },
    async sessionsDue({ beforeMs, limit }) {
      const rows = await database
        .selectFrom("sessions")
        .select("id")
        .where("ended_at", "<=", beforeMs)
        .where(isGone)
        .orderBy("ended_at")
        .orderBy("id")
        .limit(limit)
        .execute();
      return rows.map(({ id }) => id);
    },
    async removeSessions(ids) {
      if (ids.length === 0) return;
      await database.deleteFrom("sessions").where("id", "in", ids).where(isGone).execute();
    },
    async foreseen({ sessionsBeforeMs, eventsBeforeMs, goneByMs }) {
      const count = (rows: { count: string | number | bigint }) => Number(rows.count);
      const gone = willBeGone(goneByMs);
      const sessions = await database
        .selectFrom("sessions")
        .select(({ fn }) => fn.countAll().as("count"))
        .where("ended_at", "<=", sessionsBeforeMs)
        .where(gone)
        .executeTakeFirstOrThrow();
      const stays = await kept(eventsBeforeMs, gone);
      let events = database.selectFrom("audit_events").select(({ fn }) => fn.countAll().as("count"));
      if (stays !== undefined) events = events.where("position", "<", stays);
      return { sessions: count(sessions), events: count(await events.executeTakeFirstOrThrow()) };
    },
  };
}

import { assert, isGatehouseError } from "@gatehouse/kernel";
import type { Expression, ExpressionBuilder, Kysely, Selectable, SqlBool } from "kysely";
import type { AuditFilter, AuditRow, AuditRows } from "./door.ts";
import type { Engine } from "./engine.ts";
import type { Tables } from "./schema.ts";

/** Rows of one insert: SQLite takes 32,766 parameters. One statement is one transaction, whatever the database. */
const insertRowsMax = 500;

export function auditRowsIn({
  database,
  engine,
}: {
  database: Kysely<Tables>;
  engine: Pick<Engine, "check">;
}): AuditRows {
  const lastOf = async (from: Kysely<Tables>) => {
    const row = await from
      .selectFrom("audit_events")
      .select(["position", "hash"])
      .orderBy("position", "desc")
      .limit(1)
      .executeTakeFirst();
    return row && { index: row.position, hash: row.hash };
  };

  /** The end of the log as this process knows it: whoever else appends to it takes the position, and is found out so. */
  let known: { index: number; hash: string } | undefined;

  return {
    async append(build) {
      engine.check();
      for (;;) {
        const last = known ?? (await lastOf(database));
        const rows = build(last);
        assert(rows.length <= insertRowsMax, "no more rows than one statement takes");
        try {
          await database.insertInto("audit_events").values(rows.map(columnsOf)).execute();
          known = rows.at(-1) ?? last;
          return;
        } catch (error) {
          known = undefined;
          if (!isGatehouseError(error, "conflict") || (await lastOf(database))?.index === last?.index)
            throw error;
        }
      }
    },
    last: () => lastOf(database),
    async after(index, limit, filter = {}) {
      const query = database
        .selectFrom("audit_events")
        .selectAll()
        .where("position", ">", index)
        .where(matching(filter))
        .orderBy("position")
        .limit(limit);
      return (await query.execute()).map(rowOf);
    },
    async unanswered(event, answer, limit) {
      const query = database
        .selectFrom("audit_events as raised")
        .selectAll("raised")
        .where("raised.event", "=", event)
        .where("raised.user_name", "=", "system")
        .where("raised.session_id", "is not", null)
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom("audit_events as later")
                .select("later.position")
                .where("later.event", "=", answer)
                .whereRef("later.session_id", "=", "raised.session_id")
                .whereRef("later.position", ">", "raised.position"),
            ),
          ),
        )
        .orderBy("raised.position", "desc")
        .limit(limit);
      return (await query.execute()).map(rowOf);
    },
    async list(filter, { limit, beforeIndex }) {
      let query = database
        .selectFrom("audit_events")
        .selectAll()
        .where(matching(filter))
        .orderBy("position", "desc")
        .limit(limit);
      if (beforeIndex !== undefined) query = query.where("position", "<", beforeIndex);
      return (await query.execute()).map(rowOf);
    },
  };
}

function matching({ events, user, sessionId, serverId, success, fromMs, toMs }: AuditFilter) {
  return (builder: ExpressionBuilder<Tables, "audit_events">): Expression<SqlBool> => {
    const demands: Expression<SqlBool>[] = [];
    if (events !== undefined)
      demands.push(
        builder.or(
          events.map((event) =>
            // The names of events hold no sign that `like` gives a meaning to.
            event.endsWith(".") ? builder("event", "like", `${event}%`) : builder("event", "=", event),
          ),
        ),
      );
    if (user !== undefined) demands.push(builder("user_name", "=", user));
    if (sessionId !== undefined) demands.push(builder("session_id", "=", sessionId));
    if (serverId !== undefined) demands.push(builder("server_id", "=", serverId));
    if (success !== undefined) demands.push(builder("success", "=", success ? 1 : 0));
    if (fromMs !== undefined) demands.push(builder("time_ms", ">=", fromMs));
    if (toMs !== undefined) demands.push(builder("time_ms", "<", toMs));
    return builder.and(demands);
  };
}

function columnsOf(row: AuditRow): Tables["audit_events"] {
  return {
    position: row.index,
    hash: row.hash,
    prev_hash: row.prevHash,
    time_ms: row.timeMs,
    event: row.event,
    code: row.code,
    user_name: row.user,
    server_id: row.serverId,
    session_id: row.sessionId,
    success: row.success ? 1 : 0,
    body: row.body,
  };
}

function rowOf(row: Selectable<Tables["audit_events"]>): AuditRow {
  return {
    index: row.position,
    hash: row.hash,
    prevHash: row.prev_hash,
    timeMs: row.time_ms,
    event: row.event,
    code: row.code,
    user: row.user_name,
    serverId: row.server_id,
    sessionId: row.session_id,
    success: row.success !== 0,
    body: row.body,
  };
}

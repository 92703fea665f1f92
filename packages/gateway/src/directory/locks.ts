import { type Clock, type Random, newId } from "@gatehouse/kernel";
import type { Kysely, Selectable } from "kysely";
import type { Lock } from "../access/mod.ts";
import type { LockEntry, Locks } from "./door.ts";
import type { Tables } from "./schema.ts";

export function locksIn({
  database,
  clock,
  random,
}: {
  database: Kysely<Tables>;
  clock: Pick<Clock, "nowMs">;
  random: Random;
}): Locks {
  return {
    async create({ on, name, reason, untilMs, createdBy }) {
      const nowMs = clock.nowMs();
      const row = {
        id: newId(nowMs, random),
        kind: on,
        name,
        reason,
        created_by: createdBy,
        created_at: nowMs,
        until_at: untilMs ?? null,
      };
      await database.insertInto("locks").values(row).execute();
      return entryOf(row);
    },
    async byId(id) {
      const row = await database.selectFrom("locks").selectAll().where("id", "=", id).executeTakeFirst();
      return row && entryOf(row);
    },
    async inForce() {
      const rows = await database
        .selectFrom("locks")
        .selectAll()
        .where(({ or, eb }) => or([eb("until_at", "is", null), eb("until_at", ">", clock.nowMs())]))
        .orderBy("created_at", "desc")
        .execute();
      return rows.map(entryOf);
    },
    async remove(id) {
      const { numDeletedRows } = await database
        .deleteFrom("locks")
        .where("id", "=", id)
        .executeTakeFirstOrThrow();
      return numDeletedRows > 0n;
    },
  };
}

function entryOf(row: Selectable<Tables["locks"]>): LockEntry {
  return {
    id: row.id,
    on: row.kind as Lock["on"],
    name: row.name,
    reason: row.reason,
    createdBy: row.created_by,
    createdAtMs: row.created_at,
    ...(row.until_at !== null && { untilMs: row.until_at }),
  };
}

import type { Clock } from "@gatehouse/kernel";
import type { Kysely, Selectable } from "kysely";
import type { Roles, StoredRole } from "./door.ts";
import type { Tables } from "./schema.ts";

export function rolesIn({
  database,
  clock,
}: {
  database: Kysely<Tables>;
  clock: Pick<Clock, "nowMs">;
}): Roles {
  return {
    async set(name, { description, statements }) {
      const nowMs = clock.nowMs();
      const change = { description, statements: JSON.stringify(statements), updated_at: nowMs };
      await database
        .insertInto("roles")
        .values({ name, created_at: nowMs, ...change })
        .onConflict((conflict) => conflict.column("name").doUpdateSet(change))
        .execute();
      return { name, description, statements, updatedAtMs: nowMs };
    },
    async byName(name) {
      const row = await database.selectFrom("roles").selectAll().where("name", "=", name).executeTakeFirst();
      return row && roleOf(row);
    },
    async named(names) {
      if (names.length === 0) return [];
      const rows = await database.selectFrom("roles").selectAll().where("name", "in", names).execute();
      return rows.map(roleOf);
    },
    async list() {
      return (await database.selectFrom("roles").selectAll().orderBy("name").execute()).map(roleOf);
    },
    async remove(name) {
      const { numDeletedRows } = await database
        .deleteFrom("roles")
        .where("name", "=", name)
        .executeTakeFirstOrThrow();
      return numDeletedRows > 0n;
    },
  };
}

function roleOf({ name, description, statements, updated_at }: Selectable<Tables["roles"]>): StoredRole {
  return {
    name,
    description,
    statements: JSON.parse(statements) as StoredRole["statements"],
    updatedAtMs: updated_at,
  };
}

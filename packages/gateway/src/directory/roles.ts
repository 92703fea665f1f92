import type { RequestPolicy } from "@gatehouse/contracts/rest";
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
      return database.transaction().execute(async (transaction) => {
        await transaction.deleteFrom("role_requests").where("role", "=", name).execute();
        const { numDeletedRows } = await transaction
          .deleteFrom("roles")
          .where("name", "=", name)
          .executeTakeFirstOrThrow();
        return numDeletedRows > 0n;
      });
    },
    async requestPolicies() {
      const rows = await database.selectFrom("role_requests").selectAll().execute();
      return new Map(rows.map(({ role, policy }) => [role, JSON.parse(policy) as RequestPolicy]));
    },
    async setRequestPolicy(role, policy) {
      if (!policy) {
        await database.deleteFrom("role_requests").where("role", "=", role).execute();
        return;
      }
      const change = { policy: JSON.stringify(policy), updated_at: clock.nowMs() };
      await database
        .insertInto("role_requests")
        .values({ role, ...change })
        .onConflict((conflict) => conflict.column("role").doUpdateSet(change))
        .execute();
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

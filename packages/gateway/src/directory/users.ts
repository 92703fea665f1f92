import { type Clock, GatehouseError, type Random, newId } from "@gatehouse/kernel";
import type { Kysely, Selectable } from "kysely";
import type { User, UserKey, UserKeys, Users } from "./door.ts";
import { keyIn, limitOf, lowerContains, pageOf } from "./page.ts";
import type { Tables } from "./schema.ts";
import { refusing } from "./refusals.ts";

type Made = { database: Kysely<Tables>; clock: Pick<Clock, "nowMs">; random: Random };

function userOf(row: Selectable<Tables["users"]>): User {
  return {
    id: row.id,
    name: row.name,
    displayName: row.display_name,
    roles: JSON.parse(row.roles) as string[],
    disabled: row.disabled !== 0,
    createdAtMs: row.created_at,
  };
}

export function usersIn({ database, clock, random }: Made): Users {
  return {
    async create({ name, displayName = name, roles }) {
      const nowMs = clock.nowMs();
      const row = {
        id: newId(nowMs, random),
        name,
        display_name: displayName,
        roles: JSON.stringify(roles),
        disabled: 0,
        created_at: nowMs,
      };
      await refusing("conflict", `there is a user ${name} already`, () =>
        database.insertInto("users").values(row).execute(),
      );
      return userOf(row);
    },
    async byId(id) {
      const row = await database.selectFrom("users").selectAll().where("id", "=", id).executeTakeFirst();
      return row && userOf(row);
    },
    async byName(name) {
      const row = await database.selectFrom("users").selectAll().where("name", "=", name).executeTakeFirst();
      return row && userOf(row);
    },
    async list({ text } = {}, page = {}) {
      const limit = limitOf(page);
      let query = database
        .selectFrom("users")
        .selectAll()
        .orderBy("name")
        .limit(limit + 1);
      if (page.after !== undefined) query = query.where("name", ">", keyIn(page.after, ["string"])[0]);
      if (text !== undefined && text !== "")
        query = query.where(({ or }) =>
          or([lowerContains("name", text), lowerContains("display_name", text)]),
        );
      return pageOf(await query.execute(), limit, userOf, (row) => [row.name]);
    },
    async update(id, { displayName, roles, disabled }) {
      const row = await database
        .updateTable("users")
        .set({
          // Names itself, so that a change of nothing is still a statement and finds out whether the user is there.
          id,
          ...(displayName !== undefined && { display_name: displayName }),
          ...(roles !== undefined && { roles: JSON.stringify(roles) }),
          ...(disabled !== undefined && { disabled: disabled ? 1 : 0 }),
        })
        .where("id", "=", id)
        .returningAll()
        .executeTakeFirst();
      if (!row)
        throw new GatehouseError({
          code: "not_found",
          op: "users.update",
          message: `no user has the id ${id}`,
        });
      return userOf(row);
    },
    async count() {
      const { count } = await database
        .selectFrom("users")
        .select(({ fn }) => fn.countAll<number>().as("count"))
        .executeTakeFirstOrThrow();
      return count;
    },
  };
}

function keyOf(row: Selectable<Tables["user_keys"]>): UserKey {
  return {
    id: row.id,
    userId: row.user_id,
    type: row.type,
    blob: new Uint8Array(Buffer.from(row.blob, "base64")),
    fingerprint: row.fingerprint,
    comment: row.comment,
    addedAtMs: row.added_at,
    ...(row.last_used_at !== null && { lastUsedAtMs: row.last_used_at }),
  };
}

export function userKeysIn({ database, clock, random }: Made): UserKeys {
  return {
    async add({ userId, type, blob, fingerprint, comment }) {
      const nowMs = clock.nowMs();
      const row = {
        id: newId(nowMs, random),
        user_id: userId,
        type,
        blob: Buffer.from(blob).toString("base64"),
        fingerprint,
        comment,
        added_at: nowMs,
        last_used_at: null,
      };
      await database.transaction().execute(async (transaction) => {
        const user = await transaction
          .selectFrom("users")
          .select("id")
          .where("id", "=", userId)
          .executeTakeFirst();
        if (!user)
          throw new GatehouseError({
            code: "not_found",
            op: "users.add_key",
            message: `no user has the id ${userId}`,
          });
        await refusing("conflict", `the key ${fingerprint} is registered already`, () =>
          transaction.insertInto("user_keys").values(row).execute(),
        );
      });
      return keyOf(row);
    },
    async byFingerprint(fingerprint) {
      const key = await database
        .selectFrom("user_keys")
        .selectAll()
        .where("fingerprint", "=", fingerprint)
        .executeTakeFirst();
      if (!key) return undefined;
      const user = await database
        .selectFrom("users")
        .selectAll()
        .where("id", "=", key.user_id)
        .executeTakeFirstOrThrow();
      return { key: keyOf(key), user: userOf(user) };
    },
    async ofUser(userId) {
      const rows = await database
        .selectFrom("user_keys")
        .selectAll()
        .where("user_id", "=", userId)
        .orderBy("added_at")
        .orderBy("id")
        .execute();
      return rows.map(keyOf);
    },
    async remove(userId, keyId) {
      const { numDeletedRows } = await database
        .deleteFrom("user_keys")
        .where("user_id", "=", userId)
        .where("id", "=", keyId)
        .executeTakeFirstOrThrow();
      return numDeletedRows > 0n;
    },
    async used(keyId) {
      await database
        .updateTable("user_keys")
        .set({ last_used_at: clock.nowMs() })
        .where("id", "=", keyId)
        .execute();
    },
  };
}

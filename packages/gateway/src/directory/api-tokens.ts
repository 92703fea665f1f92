import { type Clock, type Random, newId } from "@gatehouse/kernel";
import type { Kysely, Selectable } from "kysely";
import type { ApiToken, ApiTokens } from "./door.ts";
import { keyIn, limitOf, pageOf } from "./page.ts";
import type { Tables } from "./schema.ts";

/** A use is noted no oftener: a program that asks all day must not write all day. */
const notedEveryMs = 60_000;

export function apiTokensIn({
  database,
  clock,
  random,
}: {
  database: Kysely<Tables>;
  clock: Pick<Clock, "nowMs">;
  random: Random;
}): ApiTokens {
  return {
    async create({ hash, userId, name, scopes, expiresAtMs }) {
      const nowMs = clock.nowMs();
      const row = {
        id: newId(nowMs, random),
        hash,
        user_id: userId,
        name,
        scopes: JSON.stringify(scopes),
        created_at: nowMs,
        expires_at: expiresAtMs,
        last_used_at: null,
      };
      await database.transaction().execute(async (transaction) => {
        await transaction.deleteFrom("api_tokens").where("expires_at", "<=", nowMs).execute();
        await transaction.insertInto("api_tokens").values(row).execute();
      });
      return tokenOf(row);
    },
    async use(hash) {
      const nowMs = clock.nowMs();
      const row = await database
        .selectFrom("api_tokens")
        .selectAll()
        .where("hash", "=", hash)
        .where("expires_at", ">", nowMs)
        .executeTakeFirst();
      if (!row) return undefined;
      if (nowMs - (row.last_used_at ?? 0) >= notedEveryMs)
        await database
          .updateTable("api_tokens")
          .set({ last_used_at: nowMs })
          .where("id", "=", row.id)
          .execute();
      return tokenOf(row);
    },
    async ofUser(userId) {
      const rows = await database
        .selectFrom("api_tokens")
        .selectAll()
        .where("user_id", "=", userId)
        .where("expires_at", ">", clock.nowMs())
        .orderBy("id")
        .execute();
      return rows.map(tokenOf);
    },
    async list(page = {}) {
      const limit = limitOf(page);
      let query = database
        .selectFrom("api_tokens")
        .innerJoin("users", "users.id", "api_tokens.user_id")
        .selectAll("api_tokens")
        .select("users.name as user_name")
        .where("api_tokens.expires_at", ">", clock.nowMs())
        .orderBy("api_tokens.id", "desc")
        .limit(limit + 1);
      if (page.after !== undefined)
        query = query.where("api_tokens.id", "<", keyIn(page.after, ["string"])[0]);
      return pageOf(
        await query.execute(),
        limit,
        (row) => ({ ...tokenOf(row), userName: row.user_name }),
        (row) => [row.id],
      );
    },
    async remove(userId, id) {
      const { numDeletedRows } = await database
        .deleteFrom("api_tokens")
        .where("user_id", "=", userId)
        .where("id", "=", id)
        .executeTakeFirstOrThrow();
      return numDeletedRows > 0n;
    },
    async removeOfUser(userId) {
      await database.deleteFrom("api_tokens").where("user_id", "=", userId).execute();
    },
  };
}

function tokenOf(row: Selectable<Tables["api_tokens"]>): ApiToken {
  return {
    id: row.id,
    userId: row.user_id,
    name: row.name,
    scopes: JSON.parse(row.scopes) as string[],
    createdAtMs: row.created_at,
    expiresAtMs: row.expires_at,
    ...(row.last_used_at !== null && { lastUsedAtMs: row.last_used_at }),
  };
}

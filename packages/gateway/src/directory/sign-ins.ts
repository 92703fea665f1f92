import { type Clock, type Random, newId } from "@gatehouse/kernel";
import type { Kysely, Selectable } from "kysely";
import type { LoginLinks, WebSession, WebSessions } from "./door.ts";
import type { Tables } from "./schema.ts";

type Made = { database: Kysely<Tables>; clock: Pick<Clock, "nowMs"> };

export function loginLinksIn({ database, clock }: Made): LoginLinks {
  return {
    async create({ hash, userId, expiresAtMs }) {
      await database.transaction().execute(async (transaction) => {
        // Used and expired links say nothing that the audit log does not say.
        await transaction
          .deleteFrom("login_links")
          .where(({ eb, or }) => or([eb("used_at", "is not", null), eb("expires_at", "<=", clock.nowMs())]))
          .execute();
        await transaction
          .insertInto("login_links")
          .values({ hash, user_id: userId, expires_at: expiresAtMs, used_at: null })
          .execute();
      });
    },
    async consume(hash) {
      const nowMs = clock.nowMs();
      // One statement, so that of two who come at once only one is let in.
      const row = await database
        .updateTable("login_links")
        .set({ used_at: nowMs })
        .where("hash", "=", hash)
        .where("used_at", "is", null)
        .where("expires_at", ">", nowMs)
        .returning("user_id")
        .executeTakeFirst();
      return row?.user_id;
    },
  };
}

function webSessionOf(row: Selectable<Tables["web_sessions"]>): WebSession {
  return {
    id: row.id,
    hash: row.hash,
    userId: row.user_id,
    method: row.method,
    remoteAddress: row.remote_address,
    userAgent: row.user_agent,
    createdAtMs: row.created_at,
    lastSeenAtMs: row.last_seen_at,
    expiresAtMs: row.expires_at,
    ...(row.mfa_at !== null && { mfaAtMs: row.mfa_at }),
  };
}

export function webSessionsIn({ database, clock, random }: Made & { random: Random }): WebSessions {
  return {
    async create({ hash, userId, method, remoteAddress, userAgent, expiresAtMs, mfaAtMs }) {
      const nowMs = clock.nowMs();
      const row = {
        id: newId(nowMs, random),
        hash,
        user_id: userId,
        method,
        remote_address: remoteAddress,
        user_agent: userAgent,
        created_at: nowMs,
        last_seen_at: nowMs,
        expires_at: expiresAtMs,
        mfa_at: mfaAtMs ?? null,
        revoked: 0,
      };
      await database.transaction().execute(async (transaction) => {
        await transaction
          .deleteFrom("web_sessions")
          .where(({ eb, or }) => or([eb("revoked", "=", 1), eb("expires_at", "<=", nowMs)]))
          .execute();
        await transaction.insertInto("web_sessions").values(row).execute();
      });
      return webSessionOf(row);
    },
    async byHash(hash) {
      const row = await database
        .selectFrom("web_sessions")
        .selectAll()
        .where("hash", "=", hash)
        .where("revoked", "=", 0)
        .where("expires_at", ">", clock.nowMs())
        .executeTakeFirst();
      return row && webSessionOf(row);
    },
    async seen(hash) {
      await database
        .updateTable("web_sessions")
        .set({ last_seen_at: clock.nowMs() })
        .where("hash", "=", hash)
        .execute();
    },
    async revoke(hash) {
      await database.updateTable("web_sessions").set({ revoked: 1 }).where("hash", "=", hash).execute();
    },
    async revokeOfUser(userId, but) {
      await database
        .updateTable("web_sessions")
        .set({ revoked: 1 })
        .where("user_id", "=", userId)
        .$if(but !== undefined, (query) => query.where("id", "!=", but ?? ""))
        .execute();
    },
  };
}

import { type Clock, type Random, newId } from "@gatehouse/kernel";
import type { ExpressionBuilder, Kysely, Selectable } from "kysely";
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

/** What is good now: not revoked, not over, and not idle for too long. */
export function goodSession(
  { and, eb }: ExpressionBuilder<Pick<Tables, "web_sessions">, "web_sessions">,
  nowMs: number,
  idleMs: number | undefined,
) {
  return and([
    eb("web_sessions.revoked", "=", 0),
    eb("web_sessions.expires_at", ">", nowMs),
    ...(idleMs === undefined ? [] : [eb("web_sessions.last_seen_at", ">", nowMs - idleMs)]),
  ]);
}

export function webSessionsIn({
  database,
  clock,
  random,
  sessionIdleMs,
}: Made & { random: Random; sessionIdleMs: number | undefined }): WebSessions {
  const good = () =>
    database
      .selectFrom("web_sessions")
      .selectAll()
      .where((builder) => goodSession(builder, clock.nowMs(), sessionIdleMs));
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
      const row = await good().where("hash", "=", hash).executeTakeFirst();
      return row && webSessionOf(row);
    },
    async ofUser(userId) {
      const rows = await good()
        .where("user_id", "=", userId)
        .orderBy("last_seen_at", "desc")
        .orderBy("id")
        .execute();
      return rows.map(webSessionOf);
    },
    renew: (hash, { hash: anew, mfaAtMs }) =>
      database.transaction().execute(async (transaction) => {
        const row = await transaction
          .updateTable("web_sessions")
          .set({ hash: anew, mfa_at: mfaAtMs, last_seen_at: clock.nowMs() })
          .where("hash", "=", hash)
          .where("revoked", "=", 0)
          .returningAll()
          .executeTakeFirst();
        // What was given to the session stays with it.
        await transaction
          .updateTable("certificates")
          .set({ session_hash: anew })
          .where("session_hash", "=", hash)
          .execute();
        return row && webSessionOf(row);
      }),
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
    async revokeOne(userId, id) {
      const { numUpdatedRows } = await database
        .updateTable("web_sessions")
        .set({ revoked: 1 })
        .where("user_id", "=", userId)
        .where("id", "=", id)
        .where("revoked", "=", 0)
        .executeTakeFirstOrThrow();
      return numUpdatedRows > 0n;
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

import type { Clock } from "@gatehouse/kernel";
import type { Kysely, Selectable } from "kysely";
import type { ConnectionSecret, ConnectionSecrets } from "./door.ts";
import type { Tables } from "./schema.ts";

export function connectionSecretsIn({
  database,
  clock,
}: {
  database: Kysely<Tables>;
  clock: Pick<Clock, "nowMs">;
}): ConnectionSecrets {
  return {
    async create({ hash, userId, protocol, targetId, login, mfaAtMs, expiresAtMs }) {
      const nowMs = clock.nowMs();
      await database.transaction().execute(async (transaction) => {
        await transaction.deleteFrom("connection_secrets").where("expires_at", "<=", nowMs).execute();
        await transaction
          .insertInto("connection_secrets")
          .values({
            hash,
            user_id: userId,
            protocol,
            target_id: targetId ?? null,
            login: login ?? null,
            mfa_at: mfaAtMs ?? null,
            created_at: nowMs,
            expires_at: expiresAtMs,
          })
          .execute();
      });
    },
    async removeOfUser(userId) {
      await database.deleteFrom("connection_secrets").where("user_id", "=", userId).execute();
    },
    async byHash(hash) {
      const row = await database
        .selectFrom("connection_secrets")
        .selectAll()
        .where("hash", "=", hash)
        .where("expires_at", ">", clock.nowMs())
        .executeTakeFirst();
      return row && secretOf(row);
    },
    async inForce({ protocol, login }, max) {
      const rows = await database
        .selectFrom("connection_secrets")
        .selectAll()
        .where("protocol", "=", protocol)
        .where((builder) => builder.or([builder("login", "=", login), builder("login", "is", null)]))
        .where("expires_at", ">", clock.nowMs())
        .orderBy("created_at", "desc")
        .limit(max)
        .execute();
      return rows.map(withHash);
    },
  };
}

function secretOf(row: Selectable<Tables["connection_secrets"]>): ConnectionSecret {
  return {
    userId: row.user_id,
    protocol: row.protocol,
    expiresAtMs: row.expires_at,
    ...(row.target_id !== null && { targetId: row.target_id }),
    ...(row.login !== null && { login: row.login }),
    ...(row.mfa_at !== null && { mfaAtMs: row.mfa_at }),
  };
}

function withHash(row: Selectable<Tables["connection_secrets"]>): ConnectionSecret & { hash: string } {
  return { ...secretOf(row), hash: row.hash };
}

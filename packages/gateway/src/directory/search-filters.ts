import type { Kysely } from "kysely";
import type { Tables } from "./schema.ts";

/** What cannot be in a recording, in bits that only who has the key can ask. */
export type SearchFilter = {
  sessionId: string;
  version: number;
  /** Of the key that its bits were made with. */
  keyId: string;
  madeAtMs: number;
  main: Uint8Array;
  /** Of what was typed; absent where nothing was, or this gateway may not read it. */
  input?: Uint8Array;
};

export type SearchFilters = {
  /** In place of the one before. */
  put(filter: SearchFilter): Promise<void>;
  /** Those that there are. */
  of(sessionIds: readonly string[]): Promise<ReadonlyMap<string, SearchFilter>>;
  has(sessionId: string, like: Pick<SearchFilter, "version" | "keyId">): Promise<boolean>;
  remove(sessionId: string): Promise<void>;
};

export function searchFiltersIn({ database }: { database: Kysely<Tables> }): SearchFilters {
  return {
    async put({ sessionId, version, keyId, madeAtMs, main, input }) {
      const row = { version, key_id: keyId, made_at: madeAtMs, main, input: input ?? null };
      await database
        .insertInto("search_filters")
        .values({ session_id: sessionId, ...row })
        .onConflict((conflict) => conflict.column("session_id").doUpdateSet(row))
        .execute();
    },
    async of(sessionIds) {
      if (sessionIds.length === 0) return new Map();
      const rows = await database
        .selectFrom("search_filters")
        .selectAll()
        .where("session_id", "in", sessionIds)
        .execute();
      return new Map(
        rows.map((row) => [
          row.session_id,
          {
            sessionId: row.session_id,
            version: row.version,
            keyId: row.key_id,
            madeAtMs: row.made_at,
            main: row.main,
            ...(row.input !== null && { input: row.input }),
          },
        ]),
      );
    },
    async has(sessionId, { version, keyId }) {
      const row = await database
        .selectFrom("search_filters")
        .select("session_id")
        .where("session_id", "=", sessionId)
        .where("version", ">=", version)
        .where("key_id", "=", keyId)
        .executeTakeFirst();
      return row !== undefined;
    },
    async remove(sessionId) {
      await database.deleteFrom("search_filters").where("session_id", "=", sessionId).execute();
    },
  };
}

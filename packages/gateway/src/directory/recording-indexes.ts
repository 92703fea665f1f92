import type { Kysely } from "kysely";
import { factsSay } from "./facts-say.ts";
import type { Tables } from "./schema.ts";
import type { SearchFilter } from "./search-filters.ts";

/** The index beside a recording, or why there is none. */
export type IndexEntry = {
  sessionId: string;
  madeAtMs: number;
  /** Which way of making it: an older one is made anew. */
  maker: number;
  bytes: number;
} & ({ name: string } | { fault: string });

export type RecordingIndexes = {
  /** In place of the one before. */
  put(entry: IndexEntry): Promise<void>;
  of(sessionId: string): Promise<IndexEntry | undefined>;
  /**
   * The newest session whose recording lies in the store and has no index of this maker, made or failed, or no filter of this kind
   * for searches.
   */
  next(wanted: {
    maker: number;
    filter: Pick<SearchFilter, "version" | "keyId">;
    gatewayId?: string;
    except: readonly string[];
  }): Promise<string | undefined>;
};

export function recordingIndexesIn({ database }: { database: Kysely<Tables> }): RecordingIndexes {
  return {
    async put({ sessionId, madeAtMs, maker, bytes, ...rest }) {
      const row = {
        made_at: madeAtMs,
        maker,
        bytes,
        name: "name" in rest ? rest.name : null,
        fault: "fault" in rest ? rest.fault : null,
      };
      await database
        .insertInto("recording_indexes")
        .values({ session_id: sessionId, ...row })
        .onConflict((conflict) => conflict.column("session_id").doUpdateSet(row))
        .execute();
    },
    async of(sessionId) {
      const row = await database
        .selectFrom("recording_indexes")
        .selectAll()
        .where("session_id", "=", sessionId)
        .executeTakeFirst();
      return (
        row && {
          sessionId,
          madeAtMs: row.made_at,
          maker: row.maker,
          bytes: row.bytes,
          ...(row.name === null ? { fault: row.fault ?? "" } : { name: row.name }),
        }
      );
    },
    async next({ maker, filter, gatewayId, except }) {
      let query = database
        .selectFrom("sessions")
        .leftJoin("recording_indexes", "recording_indexes.session_id", "sessions.id")
        .leftJoin("search_filters", "search_filters.session_id", "sessions.id")
        .select("sessions.id")
        .where("sessions.recording_state", "in", ["stored", "held"])
        .where(({ eb, and, or }) =>
          or([
            eb("recording_indexes.maker", "is", null),
            eb("recording_indexes.maker", "<", maker),
            and([
              eb("recording_indexes.fault", "is", null),
              or([
                eb("search_filters.version", "is", null),
                eb("search_filters.version", "<", filter.version),
                eb("search_filters.key_id", "!=", filter.keyId),
              ]),
            ]),
          ]),
        )
        .orderBy("sessions.started_at", "desc")
        .limit(1);
      if (gatewayId !== undefined) query = query.where(factsSay("gatewayId", gatewayId));
      if (except.length > 0) query = query.where("sessions.id", "not in", except);
      return (await query.executeTakeFirst())?.id;
    },
  };
}

import type { RecordingState } from "@gatehouse/recording/pipeline";
import { type Kysely, sql } from "kysely";
import { factsSay } from "./facts-say.ts";
import { type Claim, unclaimed } from "./recording-keeping.ts";
import type { Tables } from "./schema.ts";

/** When a recording was last read again from the store, and what was found. */
export type RecordingCheck = {
  sessionId: string;
  checkedAtMs: number;
  ok: boolean;
  /** Whether its frames were decrypted too; else hashes, chain and signatures alone were checked. */
  opened: boolean;
  bytes: number;
  /** What does not fit, where something does not. */
  fault?: string;
};

/** How many recordings stand alike. */
export type CheckedGroup = {
  state: RecordingState;
  /** Absent where none of them was checked. */
  check?: { ok: boolean; opened: boolean };
  count: number;
  /** The longest ago that one of them was checked. */
  oldestMs?: number;
};

/** A gateway, and whose recordings it leaves alone: those that ended after `goneMs`, and those of gateways that were `seen` since. */
type CheckingGateway = { gatewayId: string; nowMs: number; goneMs: number; seen: readonly string[] };

export type RecordingChecks = {
  /** In place of the check before. */
  put(check: RecordingCheck): Promise<void>;
  of(sessionId: string): Promise<RecordingCheck | undefined>;
  /**
   * The session whose recording lies in the store, whole or not, and is the next to be read: one never checked, else the one checked longest ago
   * before `beforeMs`. `by` narrows to those that this gateway made, and those that are nobody's.
   */
  next(due: {
    beforeMs: number;
    by?: CheckingGateway;
    except: readonly string[];
  }): Promise<string | undefined>;
  /** Of one that another gateway made, for whoever reads it now. False where yet another claims it. */
  claim(sessionId: string, claim: Claim): Promise<boolean>;
  /** Of sessions that began at or after `fromMs` and before `toMs`. */
  groups(range: { fromMs?: number; toMs?: number }): Promise<readonly CheckedGroup[]>;
};

/** States of recordings of which the store should have every object. */
const inStore = ["stored", "held"];

export function recordingChecksIn({ database }: { database: Kysely<Tables> }): RecordingChecks {
  return {
    async put({ sessionId, checkedAtMs, ok, opened, bytes, fault }) {
      const row = {
        checked_at: checkedAtMs,
        ok: ok ? 1 : 0,
        opened: opened ? 1 : 0,
        bytes,
        fault: fault ?? null,
      };
      await database
        .insertInto("recording_checks")
        .values({ session_id: sessionId, ...row })
        .onConflict((conflict) => conflict.column("session_id").doUpdateSet(row))
        .execute();
    },
    async of(sessionId) {
      const row = await database
        .selectFrom("recording_checks")
        .selectAll()
        .where("session_id", "=", sessionId)
        .executeTakeFirst();
      return (
        row && {
          sessionId,
          checkedAtMs: row.checked_at,
          ok: row.ok === 1,
          opened: row.opened === 1,
          bytes: row.bytes,
          ...(row.fault !== null && { fault: row.fault }),
        }
      );
    },
    async next({ beforeMs, by, except }) {
      let query = database
        .selectFrom("sessions")
        .leftJoin("recording_checks", "recording_checks.session_id", "sessions.id")
        .select("sessions.id")
        .where(({ eb, or }) =>
          or([
            eb("sessions.recording_state", "in", inStore),
            // One that did not verify may have been put right. Corrupt and never checked: not yet all in the store.
            eb("recording_checks.ok", "=", 0),
          ]),
        )
        .where(({ eb, or }) =>
          or([
            eb("recording_checks.checked_at", "is", null),
            eb("recording_checks.checked_at", "<", beforeMs),
          ]),
        )
        // The two databases disagree on where an absent value stands in the order.
        .orderBy(sql`coalesce(recording_checks.checked_at, 0)`)
        .orderBy("sessions.started_at")
        .limit(1);
      if (by !== undefined)
        query = query.where(({ eb, and, or, not }) =>
          or([
            factsSay("gatewayId", by.gatewayId),
            and([
              eb("sessions.ended_at", "<=", by.goneMs),
              // What its gateway wrote down is what it is compared with.
              eb("sessions.head_sha256", "is not", null),
              ...by.seen.map((id) => not(factsSay("gatewayId", id))),
              or([
                eb("sessions.removing_until", "is", null),
                eb("sessions.removing_until", "<=", by.nowMs),
                eb("sessions.removing_by", "=", by.gatewayId),
              ]),
            ]),
          ]),
        );
      if (except.length > 0) query = query.where("sessions.id", "not in", except);
      return (await query.executeTakeFirst())?.id;
    },
    async claim(sessionId, { gatewayId, nowMs, untilMs }) {
      // A removal's claim too: what is removed is not read, and who begins a removal claims it anew.
      const { numUpdatedRows } = await database
        .updateTable("sessions")
        .set({ removing_by: gatewayId, removing_until: untilMs })
        .where("id", "=", sessionId)
        .where("recording_state", "!=", "expired")
        .where(unclaimed({ gatewayId, nowMs }))
        .executeTakeFirstOrThrow();
      return numUpdatedRows > 0n;
    },
    async groups({ fromMs, toMs }) {
      let query = database
        .selectFrom("sessions")
        .leftJoin("recording_checks", "recording_checks.session_id", "sessions.id")
        .select(({ fn }) => [
          "sessions.recording_state as state",
          "recording_checks.ok as ok",
          "recording_checks.opened as opened",
          fn.countAll().as("count"),
          fn.min("recording_checks.checked_at").as("oldest"),
        ])
        .groupBy(["sessions.recording_state", "recording_checks.ok", "recording_checks.opened"]);
      if (fromMs !== undefined) query = query.where("sessions.started_at", ">=", fromMs);
      if (toMs !== undefined) query = query.where("sessions.started_at", "<", toMs);
      return (await query.execute()).map(groupOf);
    },
  };
}

function groupOf(row: {
  state: string;
  ok: number | null;
  opened: number | null;
  count: string | number | bigint;
  oldest: number | null;
}): CheckedGroup {
  return {
    state: row.state as RecordingState,
    ...(row.ok !== null && { check: { ok: row.ok === 1, opened: row.opened === 1 } }),
    count: Number(row.count),
    ...(row.oldest !== null && { oldestMs: row.oldest }),
  };
}

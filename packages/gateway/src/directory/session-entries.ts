import type { LabelSelector } from "@gatehouse/contracts/rest";
import { GatehouseError } from "@gatehouse/kernel";
import type { SessionFacts } from "@gatehouse/recording";
import type { RecordingState } from "@gatehouse/recording/pipeline";
import {
  type Expression,
  type ExpressionBuilder,
  type Kysely,
  type Selectable,
  type SqlBool,
  sql,
} from "kysely";
import type {
  Hold,
  SessionAccess,
  SessionEntries,
  SessionEntry,
  SessionFilter,
  SessionState,
} from "./door.ts";
import { cursorOf, keyIn, limitOf, lowerContains, pageOf } from "./page.ts";
import type { Tables } from "./schema.ts";

/** A condition that no row meets. */
const nothing = sql<SqlBool>`1 = 0`;

export function sessionEntriesIn({ database }: { database: Kysely<Tables> }): SessionEntries {
  /** Distinguishes a session that has ended from one that never was. */
  async function mustExist(op: string, id: string): Promise<void> {
    const row = await database.selectFrom("sessions").select("id").where("id", "=", id).executeTakeFirst();
    if (!row) throw new GatehouseError({ code: "not_found", op, message: `no session has the id ${id}` });
  }

  return {
    async insert(facts, access) {
      await database
        .insertInto("sessions")
        .values({
          id: facts.sessionId,
          facts: JSON.stringify(facts),
          started_at: Date.parse(facts.startedAt),
          user_id: facts.user.id,
          user_name: facts.user.name,
          target_id: facts.target.id,
          target_name: facts.target.name,
          login: facts.login,
          protocol: facts.protocol,
          kind: facts.kind,
          access: access === undefined ? null : JSON.stringify(access),
          haystack: [facts.user.name, facts.target.name, facts.login, facts.command ?? ""]
            .join("\n")
            .toLowerCase(),
          state: "admitted",
          recording_state: "recording",
          recording_detail: null,
          ended_at: null,
          end_reason: null,
          end_detail: null,
          duration_ms: null,
          exit_status: null,
          exit_signal: null,
          frames: null,
          bytes: null,
          head_sha256: null,
          retention_ms: facts.retentionMs ?? null,
          retain_until: null,
          locked_until: null,
          removed_at: null,
          hold: null,
          removing_by: null,
          removing_until: null,
        })
        .execute();
    },
    async setState(sessionId, state) {
      const { numUpdatedRows } = await database
        .updateTable("sessions")
        .set({ state })
        .where("id", "=", sessionId)
        .where("ended_at", "is", null)
        .executeTakeFirstOrThrow();
      if (numUpdatedRows === 0n) await mustExist("sessions.set_state", sessionId);
    },
    async end(sessionId, end) {
      const { numUpdatedRows } = await database
        .updateTable("sessions")
        .set({
          state: end.state,
          ended_at: end.endedAtMs,
          end_reason: end.reason,
          end_detail: end.detail ?? null,
          duration_ms: end.durationMs,
          exit_status: end.exitStatus ?? null,
          exit_signal: end.exitSignal ?? null,
          // Absent where the session began under a version that did not write down for how long.
          retain_until: sql<number | null>`${end.endedAtMs} + retention_ms`,
          ...figures(end),
        })
        .where("id", "=", sessionId)
        .where("ended_at", "is", null)
        .executeTakeFirstOrThrow();
      if (numUpdatedRows === 0n) await mustExist("sessions.end", sessionId);
      return numUpdatedRows > 0n;
    },
    async setRecording(sessionId, { state, detail, ...rest }) {
      const { numUpdatedRows } = await database
        .updateTable("sessions")
        .set(({ eb }) => ({
          // What is held and was on its way, or was put right, is held.
          recording_state:
            state === "stored" ? eb.case().when("hold", "is", null).then("stored").else("held").end() : state,
          recording_detail: detail ?? null,
          ...figures(rest),
        }))
        .where("id", "=", sessionId)
        .executeTakeFirstOrThrow();
      if (numUpdatedRows === 0n) await mustExist("sessions.set_recording", sessionId);
    },
    async byId(sessionId) {
      const row = await database
        .selectFrom("sessions")
        .selectAll()
        .where("id", "=", sessionId)
        .executeTakeFirst();
      return row && entryOf(row);
    },
    async countByRecordingState() {
      const rows = await database
        .selectFrom("sessions")
        .select(({ fn }) => ["recording_state", fn.countAll().as("count")])
        .groupBy("recording_state")
        .execute();
      return Object.fromEntries(rows.map((row) => [row.recording_state, Number(row.count)]));
    },
    async list(filter = {}, page = {}) {
      const limit = limitOf(page);
      let query = fitting(filter)
        .selectAll()
        .orderBy("started_at", "desc")
        .orderBy("id", "desc")
        .limit(limit + 1);
      if (page.after !== undefined) {
        const [startedAt, id] = keyIn(page.after, ["number", "string"]);
        query = query.where(({ eb, or, and }) =>
          or([eb("started_at", "<", startedAt), and([eb("started_at", "=", startedAt), eb("id", "<", id)])]),
        );
      }
      return pageOf(await query.execute(), limit, entryOf, (row) => [row.started_at, row.id]);
    },
    async count(filter = {}) {
      const row = await fitting(filter)
        .select(({ fn }) => fn.countAll().as("count"))
        .executeTakeFirstOrThrow();
      return Number(row.count);
    },
  };

  function fitting(filter: SessionFilter) {
    let query = database.selectFrom("sessions");
    const { scope, targetId, user, target, login, recordingState } = filter;
    const { protocol, kind, states, fromMs, toMs, text, team, labels, event } = filter;
    if (scope !== undefined) query = query.where(within(scope));
    if (targetId !== undefined) query = query.where("target_id", "=", targetId);
    if (user !== undefined)
      query = query.where(({ eb, or }) => or([eb("user_id", "=", user), eb("user_name", "=", user)]));
    if (target !== undefined)
      query = query.where(({ eb, or }) => or([eb("target_id", "=", target), eb("target_name", "=", target)]));
    if (login !== undefined) query = query.where("login", "=", login);
    if (recordingState !== undefined) query = query.where("recording_state", "=", recordingState);
    if (protocol !== undefined) query = query.where("protocol", "=", protocol);
    if (kind !== undefined) query = query.where("kind", "=", kind);
    if (states !== undefined)
      // PostgreSQL knows no empty list.
      query = query.where(({ eb }) => (states.length > 0 ? eb("state", "in", states) : nothing));
    if (fromMs !== undefined) query = query.where("started_at", ">=", fromMs);
    if (toMs !== undefined) query = query.where("started_at", "<", toMs);
    if (text !== undefined && text !== "") query = query.where(lowerContains("haystack", text));
    if (team !== undefined)
      query = query.where((builder) =>
        builder("sessions.user_id", "in", (inner) =>
          inner
            .selectFrom("team_members")
            .innerJoin("teams", "teams.id", "team_members.team_id")
            .select("team_members.user_id")
            .where(({ eb, or }) => or([eb("teams.id", "=", team), eb("teams.name", "=", team)])),
        ),
      );
    if (labels !== undefined)
      query = query.where((builder) => builder("sessions.target_id", "in", targetsWith(builder, labels)));
    if (event !== undefined)
      query = query.where(({ exists, selectFrom }) =>
        exists(
          selectFrom("audit_events")
            .select("audit_events.position")
            .whereRef("audit_events.session_id", "=", "sessions.id")
            .where("audit_events.event", "=", event),
        ),
      );
    return query;
  }
}

/** Where the list of sessions goes on after this one. */
export function afterSession({ startedAtMs, facts }: Pick<SessionEntry, "startedAtMs" | "facts">): string {
  return cursorOf([startedAtMs, facts.sessionId]);
}

function within({ userId, teamIds, targets }: NonNullable<SessionFilter["scope"]>) {
  return (builder: ExpressionBuilder<Tables, "sessions">): Expression<SqlBool> => {
    const ways: Expression<SqlBool>[] = [builder("sessions.user_id", "=", userId)];
    if (teamIds.length > 0) {
      const members = builder
        .selectFrom("team_members")
        .select("team_members.user_id")
        .where("team_members.team_id", "in", teamIds);
      ways.push(builder("sessions.user_id", "in", members));
    }
    for (const selector of targets)
      ways.push(builder("sessions.target_id", "in", targetsWith(builder, selector)));
    return builder.or(ways);
  };
}

/** Ids of the targets that have the labels, as access reads a selector. */
function targetsWith(builder: ExpressionBuilder<Tables, "sessions">, selector: LabelSelector) {
  let query = builder.selectFrom("targets").select("targets.id");
  const demands = Object.entries(selector);
  if (demands.length === 0) query = query.where(nothing);
  for (const [name, values] of demands) {
    const isAny = values.includes("*");
    if (name === "*") {
      if (!isAny) query = query.where(nothing);
      continue;
    }
    query = query.where(({ exists, selectFrom }) => {
      const label = selectFrom("target_labels")
        .select("target_labels.name")
        .whereRef("target_labels.target_id", "=", "targets.id")
        .where("target_labels.name", "=", name);
      return exists(isAny ? label : label.where("target_labels.value", "in", values));
    });
  }
  return query;
}

/** What is not told stays as it was. */
function figures({ frames, bytes, headSha256 }: { frames?: number; bytes?: number; headSha256?: string }) {
  return {
    ...(frames !== undefined && { frames }),
    ...(bytes !== undefined && { bytes }),
    ...(headSha256 !== undefined && { head_sha256: headSha256 }),
  };
}

function entryOf(row: Selectable<Tables["sessions"]>): SessionEntry {
  return {
    facts: JSON.parse(row.facts) as SessionFacts,
    ...(row.access !== null && { access: JSON.parse(row.access) as SessionAccess }),
    startedAtMs: row.started_at,
    state: row.state as SessionState,
    recordingState: row.recording_state as RecordingState,
    ...(row.recording_detail !== null && { recordingDetail: row.recording_detail }),
    ...(row.ended_at !== null && { endedAtMs: row.ended_at }),
    ...(row.end_reason !== null && { endReason: row.end_reason }),
    ...(row.end_detail !== null && { endDetail: row.end_detail }),
    ...(row.duration_ms !== null && { durationMs: row.duration_ms }),
    ...(row.exit_status !== null && { exitStatus: row.exit_status }),
    ...(row.exit_signal !== null && { exitSignal: row.exit_signal }),
    ...(row.frames !== null && { frames: row.frames }),
    ...(row.bytes !== null && { bytes: row.bytes }),
    ...(row.head_sha256 !== null && { headSha256: row.head_sha256 }),
    ...(row.retain_until !== null && { retainUntilMs: row.retain_until }),
    ...(row.locked_until !== null && { lockedUntilMs: row.locked_until }),
    ...(row.removed_at !== null && { removedAtMs: row.removed_at }),
    ...(row.hold !== null && { hold: JSON.parse(row.hold) as Hold }),
  };
}

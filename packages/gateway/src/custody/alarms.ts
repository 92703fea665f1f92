import type { AlarmAcknowledge, RecordingAlarms } from "@gatehouse/contracts/rest";
import { GatehouseError } from "@gatehouse/kernel";
import type { AuditLog } from "../audit/mod.ts";
import type { AuditRow, AuditRows, SessionEntries } from "../directory/mod.ts";

const raised = "session.recording.corrupted";
const answered = "session.recording.acknowledge";
const eventsMax = 1_000;
const alarmsMax = 100;

/**
 * Damage that the gateway found by itself is an alarm until somebody has taken note of it. The audit log alone says which are:
 * so it is true for every gateway of a database, and nobody can end an alarm without being on record.
 */
export function recordingAlarms(options: {
  auditRows: Pick<AuditRows, "unanswered">;
  sessions: Pick<SessionEntries, "byId">;
  audit: Pick<AuditLog, "append">;
}): {
  alarms(): Promise<RecordingAlarms>;
  /** Throws `conflict` where there is no alarm of this recording. */
  acknowledge(
    by: { subject: { name: string }; remoteAddress: string },
    sessionId: string,
    how: AlarmAcknowledge,
  ): Promise<void>;
} {
  const { auditRows, sessions, audit } = options;

  /** The newest of each recording. */
  async function standing(): Promise<Map<string, AuditRow>> {
    const alarms = new Map<string, AuditRow>();
    for (const row of await auditRows.unanswered(raised, answered, eventsMax))
      if (row.sessionId !== null && !alarms.has(row.sessionId)) alarms.set(row.sessionId, row);
    return alarms;
  }

  return {
    async alarms() {
      const newest = [...(await standing())].slice(0, alarmsMax);
      const items = await Promise.all(
        newest.map(async ([sessionId, row]) => {
          const entry = await sessions.byId(sessionId);
          return {
            sessionId,
            user: entry?.facts.user.name ?? null,
            target: entry?.facts.target.name ?? null,
            startedAt: entry?.facts.startedAt ?? null,
            state: entry?.recordingState ?? null,
            foundAt: new Date(row.timeMs).toISOString(),
            detail: detailOf(row),
          };
        }),
      );
      return { items };
    },
    async acknowledge({ subject, remoteAddress }, sessionId, { reason }) {
      const row = (await standing()).get(sessionId);
      if (!row)
        throw new GatehouseError({
          code: "conflict",
          op: "custody.acknowledge",
          message: "there is no alarm of this recording, or somebody has acknowledged it already",
        });
      await audit.append({
        event: answered,
        user: subject.name,
        success: true,
        ...(remoteAddress !== "" && { remoteAddress }),
        ...(row.serverId !== null && { serverId: row.serverId }),
        sessionId,
        fields: { reason, detail: detailOf(row), found_at: new Date(row.timeMs).toISOString() },
      });
    },
  };
}

function detailOf(row: AuditRow): string {
  const { detail } = JSON.parse(row.body) as { detail?: unknown };
  return typeof detail === "string" && detail !== "" ? detail : "it does not verify";
}

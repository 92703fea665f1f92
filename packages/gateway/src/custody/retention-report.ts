import type { HoldRelease, RetentionQuery, RetentionReport } from "@gatehouse/contracts/rest";
import type { Clock } from "@gatehouse/kernel";
import type { AuditLog } from "../audit/mod.ts";
import type { Pruning, RecordingKeeping } from "../directory/mod.ts";
import type { ClockWatch } from "./clock-watch.ts";

const itemsMax = 1_000;
const time = (ms: number) => new Date(ms).toISOString();

/** What the sweeper will remove, told without removing it; and the word of a person that the clock is right. */
export function retentionReportOf(options: {
  keeping: Pick<RecordingKeeping, "expiring">;
  pruning: Pick<Pruning, "foreseen">;
  sessionsKeptMs: number;
  eventsKeptMs: number;
  watch: ClockWatch;
  audit: Pick<AuditLog, "append">;
  clock: Pick<Clock, "nowMs">;
}): {
  retention(query: RetentionQuery): Promise<RetentionReport>;
  confirmClock(by: { subject: { name: string }; remoteAddress: string }, how: HoldRelease): Promise<void>;
} {
  const { keeping, watch, audit, clock } = options;
  return {
    async retention({ until }) {
      const untilMs = until === undefined ? clock.nowMs() : Date.parse(until);
      const { items, count, bytes } = await keeping.expiring(untilMs, itemsMax);
      const metadata = await options.pruning.foreseen({
        sessionsBeforeMs: untilMs - options.sessionsKeptMs,
        eventsBeforeMs: untilMs - options.eventsKeptMs,
        goneByMs: untilMs,
      });
      return {
        until: time(untilMs),
        clock: { believed: watch.doubt === undefined, detail: watch.doubt ?? null },
        recordings: count,
        bytes,
        metadata: { sessions: metadata.sessions, auditEvents: metadata.events },
        items: items.map((one) => ({
          sessionId: one.sessionId,
          user: one.userName,
          target: one.targetName,
          startedAt: time(one.startedAtMs),
          state: one.state,
          bytes: one.bytes,
          retainUntil: time(one.retainUntilMs),
          lockedUntil: one.lockedUntilMs === undefined ? null : time(one.lockedUntilMs),
          held: one.held,
        })),
      };
    },
    async confirmClock({ subject, remoteAddress }, { reason }) {
      const detail = `the clock says ${time(clock.nowMs())}, and is vouched for`;
      await audit.append({
        event: "retention.clock",
        user: subject.name,
        success: true,
        ...(remoteAddress !== "" && { remoteAddress }),
        fields: { detail, reason },
      });
      await watch.confirm();
    },
  };
}

import type { Clock } from "@gatehouse/kernel";
import type { ObjectStore } from "@gatehouse/recording/pipeline";
import { type AnchorSigner, type AuditLog, anchorIn, pruneEvent, signedAnchor } from "../audit/mod.ts";
import type { AuditRows, Pruning } from "../directory/mod.ts";
import type { ClockWatch } from "./clock-watch.ts";

const sessionsMax = 500;
const eventsMax = 5_000;

/** Removes what is known of sessions, and the log's beginning, when their own retention is over. */
export type Pruner = {
  /** All that is due now. Nothing by a clock that is not believed. */
  prune(stopped?: AbortSignal): Promise<{ sessions: number; events: number }>;
};

/**
 * Each batch is told to the audit log first, and then removed in one statement. Of the log's own beginning the event says what the
 * last event was that went, signed: so what remains is whole by itself. Killed between, the next round removes what was told.
 */
export function createPruner(options: {
  pruning: Pruning;
  store: Pick<ObjectStore, "probe">;
  watch: Pick<ClockWatch, "look">;
  audit: Pick<AuditLog, "append">;
  auditRows: Pick<AuditRows, "list">;
  signer: AnchorSigner;
  clock: Pick<Clock, "nowMs">;
  sessionsKeptMs: number;
  eventsKeptMs: number;
}): Pruner {
  const { pruning, store, watch, audit, auditRows, signer, clock } = options;

  /** Before each batch, because a clock can leap between two; the store's own is the better witness. */
  async function isClockBelieved(): Promise<boolean> {
    const { clockAheadMs } = await store.probe();
    return (await watch.look(clockAheadMs)) === undefined;
  }
  const note = (event: string, fields: Record<string, unknown>) =>
    audit.append({ event, user: "system", success: true, fields });

  async function pruneSessions(stopped: AbortSignal): Promise<number> {
    let removed = 0;
    for (;;) {
      if (stopped.aborted) break;
      const beforeMs = clock.nowMs() - options.sessionsKeptMs;
      const ids = await pruning.sessionsDue({ beforeMs, limit: sessionsMax });
      if (ids.length === 0 || !(await isClockBelieved())) break;
      await note("session.prune", { before: new Date(beforeMs).toISOString(), session_ids: ids });
      await pruning.removeSessions(ids);
      removed += ids.length;
    }
    return removed;
  }

  /** What was told, and not done any more. */
  async function finishEvents(): Promise<void> {
    const [row] = await auditRows.list({ events: [pruneEvent] }, { limit: 1 });
    const told = row && anchorIn(JSON.parse(row.body) as Record<string, unknown>, [signer.publicKey]);
    const first = await pruning.first();
    if (told && row && first && first.index <= told.index && told.index < row.index)
      await pruning.removeEvents(told.index);
  }

  async function pruneEvents(stopped: AbortSignal): Promise<number> {
    await finishEvents();
    let removed = 0;
    for (;;) {
      if (stopped.aborted) break;
      const beforeMs = clock.nowMs() - options.eventsKeptMs;
      const first = await pruning.first();
      const last = await pruning.auditDue({ beforeMs, limit: eventsMax });
      if (!first || !last || !(await isClockBelieved())) break;
      await note(
        pruneEvent,
        await signedAnchor({ ...last, before: new Date(beforeMs).toISOString() }, signer),
      );
      await pruning.removeEvents(last.index);
      removed += last.index - first.index + 1;
    }
    return removed;
  }

  return {
    async prune(stopped = new AbortController().signal) {
      return { sessions: await pruneSessions(stopped), events: await pruneEvents(stopped) };
    },
  };
}

import { type Clock, isGatehouseError, messageOf, type Timer } from "@gatehouse/kernel";
import { type ObjectStore, objectPrefix } from "@gatehouse/recording/pipeline";
import type { AuditLog } from "../audit/mod.ts";
import type { AuditRows, RecordingKeeping, SessionEntries, SessionEntry } from "../directory/mod.ts";
import type { Log } from "../telemetry/mod.ts";
import type { ClockWatch } from "./clock-watch.ts";
import type { LegalHolds } from "./legal-holds.ts";

export type SweeperOptions = {
  store: Pick<ObjectStore, "list" | "retention" | "remove" | "probe">;
  sessions: Pick<SessionEntries, "byId">;
  keeping: Pick<RecordingKeeping, "due" | "expire" | "claim" | "removed" | "locked" | "unasked">;
  holds: Pick<LegalHolds, "apply">;
  watch: Pick<ClockWatch, "look">;
  audit: Pick<AuditLog, "append">;
  auditRows: Pick<AuditRows, "list">;
  clock: Clock;
  log: Pick<Log, "error" | "warn">;
  everyMs: number;
  gatewayId: string;
  /** What goes after the recordings. */
  prune?: (stopped: AbortSignal) => Promise<unknown>;
};

export type Sweeper = {
  start(): void;
  /** Removes what is due now; resolves to how many recordings that were. */
  sweep(): Promise<number>;
  stop(): Promise<void>;
};

/** Recordings that could not be removed, and are left until the next round. */
const passedOverMax = 1_000;
/** For how long the other gateways leave to this one what it removes: longer than a store is waited for. */
const claimMs = 10 * 60_000;
const expireEvent = "session.recording.expire";

/**
 * Removes recordings whose retention is over, one at a time: marked as expired where nobody holds it, told to the audit log, then
 * its objects, then noted as removed. Killed anywhere between, the next sweep goes on from there.
 */
export function createSweeper(options: SweeperOptions): Sweeper {
  const { store, sessions, keeping, holds, watch, audit, auditRows, clock, log } = options;
  let timer: Timer | undefined;
  let running: Promise<unknown> | undefined;
  let isStarted = false;
  const stopping = new AbortController();

  async function mark(entry: SessionEntry, keys: readonly string[]): Promise<boolean> {
    const { sessionId } = entry.facts;
    let lockedUntilMs = 0;
    let held = false;
    for (const key of keys) {
      const found = await store.retention(key);
      lockedUntilMs = Math.max(lockedUntilMs, found.untilMs);
      held ||= found.held;
    }
    if (lockedUntilMs > clock.nowMs()) {
      await keeping.locked(sessionId, lockedUntilMs);
      return false;
    }
    if (held) {
      log.warn("a recording's time is over, and somebody holds it in the store itself", {
        session: sessionId,
      });
      return false;
    }
    return keeping.expire(sessionId, claim());
  }

  const claim = () => {
    const nowMs = clock.nowMs();
    return { gatewayId: options.gatewayId, nowMs, untilMs: nowMs + claimMs };
  };

  async function tell(entry: SessionEntry, objects: number): Promise<void> {
    const { sessionId, target, user } = entry.facts;
    const told = await auditRows.list({ sessionId, events: [expireEvent] }, { limit: 1 });
    if (told.length > 0) return;
    await audit.append({
      event: expireEvent,
      user: "system",
      success: true,
      serverId: target.id,
      sessionId,
      fields: {
        owner: user.name,
        objects,
        bytes: entry.bytes ?? 0,
        retain_until: new Date(entry.retainUntilMs ?? 0).toISOString(),
        ...(entry.headSha256 !== undefined && { head_sha256: entry.headSha256 }),
      },
    });
  }

  /** False where it stays for now. */
  async function remove(sessionId: string): Promise<boolean> {
    const entry = await sessions.byId(sessionId);
    if (!entry) return false;
    const isMarked =
      entry.recordingState === "expired"
        ? await keeping.claim(sessionId, claim())
        : await mark(entry, await keysOf(store, entry));
    if (!isMarked) return false;
    // Once it is marked nothing is put beside it that stays.
    const keys = await keysOf(store, entry);
    let claimedMs = clock.nowMs();
    await tell(entry, keys.length);
    // The manifest is last in the order: what is half gone still says what it was.
    for (const key of keys) {
      if (clock.nowMs() - claimedMs > claimMs / 2) {
        if (!(await keeping.claim(sessionId, claim()))) return false;
        claimedMs = clock.nowMs();
      }
      await store.remove(key).catch((error: unknown) => {
        // Another gateway, or the sweep that was killed, has removed it.
        if (!isGatehouseError(error, "not_found")) throw error;
      });
    }
    await keeping.removed(sessionId, clock.nowMs());
    return true;
  }

  async function sweep(): Promise<number> {
    for (const sessionId of await keeping.unasked()) await holds.apply(sessionId);
    const except: string[] = [];
    let removed = 0;
    // The store's own clock is the better witness, and is asked where something depends on it.
    let aheadMs: number | undefined;
    let isAsked = false;
    while (!stopping.signal.aborted) {
      const sessionId = await keeping.due({ nowMs: clock.nowMs(), except, gatewayId: options.gatewayId });
      if (sessionId === undefined) {
        if (except.length === 0 && removed === 0) await watch.look();
        break;
      }
      // Before each, because a clock can leap between two.
      if (!isAsked) ({ clockAheadMs: aheadMs } = await store.probe());
      else aheadMs = undefined;
      isAsked = true;
      if ((await watch.look(aheadMs)) !== undefined) break;
      try {
        if (await remove(sessionId)) removed++;
        else except.push(sessionId);
      } catch (error) {
        log.error("a recording whose time is over could not be removed; it is tried again", {
          session: sessionId,
          error: messageOf(error),
        });
        except.push(sessionId);
      }
      if (except.length >= passedOverMax) break;
    }
    return removed;
  }

  function run(): void {
    running = sweep()
      .then(() => options.prune?.(stopping.signal))
      .catch((error: unknown) => log.error("the sweep could not be made", { error: messageOf(error) }))
      .then(() => {
        running = undefined;
        if (isStarted) timer = clock.after(options.everyMs, run);
      });
  }

  return {
    sweep,
    start() {
      isStarted = true;
      run();
    },
    async stop() {
      isStarted = false;
      stopping.abort();
      timer?.cancel();
      await running;
    },
  };
}

/** Every object of a recording, whatever it is called: what was derived from it goes with it. */
export async function keysOf(
  store: Pick<ObjectStore, "list">,
  { facts }: Pick<SessionEntry, "facts">,
): Promise<string[]> {
  const prefix = `${objectPrefix(facts)}/`;
  const keys: string[] = [];
  for (;;) {
    const after = keys.at(-1);
    const page = await store.list(prefix, after === undefined ? { limit: 1_000 } : { limit: 1_000, after });
    if (page.length === 0) return keys;
    keys.push(...page);
  }
}

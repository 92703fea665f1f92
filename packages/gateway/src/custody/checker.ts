import { type Clock, messageOf, type Timer } from "@gatehouse/kernel";
import {
  type KeyOpener,
  type RecordingSource,
  type SessionFacts,
  type Verification,
  manifestName,
  verifyRecording,
} from "@gatehouse/recording";
import { nodeZstd } from "@gatehouse/recording/node";
import type { ObjectStore } from "@gatehouse/recording/pipeline";
import type { AuditLog } from "../audit/mod.ts";
import type {
  Directory,
  RecordingChecks,
  RecordingKeeping,
  SessionEntries,
  SessionEntry,
} from "../directory/mod.ts";
import type { Log } from "../telemetry/mod.ts";
import { gatewaysSeen } from "./clock-watch.ts";
import { keysOf } from "./sweeper.ts";

export type CheckerOptions = {
  sourceOf(facts: SessionFacts): RecordingSource;
  /** None on a gateway that only writes: hashes, chain and signatures are checked then, and no frame. */
  openers: readonly KeyOpener[];
  trustedKeys: readonly Uint8Array[];
  sessions: Pick<SessionEntries, "byId" | "setRecording">;
  checks: Pick<RecordingChecks, "next" | "put" | "claim">;
  /** Where it is looked until when the objects are locked, and where that is written down. */
  locks: { store: Pick<ObjectStore, "list" | "retention">; keeping: Pick<RecordingKeeping, "locked"> };
  audit: Pick<AuditLog, "append">;
  clock: Clock;
  log: Pick<Log, "error" | "warn">;
  /** Each recording is read again when its last check is so old. */
  everyMs: number;
  /** How much is read of the store, on average. */
  bytesPerSecond: number;
  /**
   * Where several gateways share the database: this one, which checks what it made itself, and what those made that were not seen
   * for a day. Left out: all in the database.
   */
  among?: { gatewayId: string; settings: Pick<Directory["settings"], "under"> };
};

export type Checker = {
  start(): void;
  /** Something may be due: a recording was stored just now. */
  wake(): void;
  /** Checks one recording now. Undefined where the store did not let it be read, which says nothing about the recording. */
  check(sessionId: string): Promise<Verification | undefined>;
  /** Resolves when the check that runs has ended. */
  stop(): Promise<void>;
};

/** How often it is looked whether a check has become due, where no session ends. */
const lookEveryMs = 60_000;
/** After the store could not be read. */
const againAfterMs = 60_000;
/** A gateway that was not seen for so long does not check its recordings itself. */
const goneMs = 24 * 3_600_000;
/** For how long the other gateways leave one to whoever reads it. */
const claimMs = 10 * 60_000;
/** Recordings that could not be read, and are left until the round is through. */
const passedOverMax = 1_000;

/** Reads stored recordings again, one at a time and no faster than it may, and raises the alarm for what does not verify. */
export function createChecker(options: CheckerOptions): Checker {
  const { sessions, checks, audit, clock, log } = options;
  let timer: Timer | undefined;
  let running: Promise<void> | undefined;
  let isStarted = false;
  let isIdle = false;
  let isWoken = false;
  const passedOver = new Set<string>();

  async function check(sessionId: string): Promise<Verification | undefined> {
    const entry = await sessions.byId(sessionId);
    if (!entry) return undefined;
    const { among } = options;
    // Another gateway's signature is not known here. Its head is, which it wrote down itself, and with it the one signer of all.
    const isForeign =
      among !== undefined && entry.facts.gatewayId !== among.gatewayId && entry.headSha256 !== undefined;
    const verification = await verifyRecording(options.sourceOf(entry.facts), {
      ...(!isForeign && { trustedKeys: options.trustedKeys }),
      ...(options.openers.length > 0 && { openers: options.openers }),
      zstd: nodeZstd,
      expected: {
        recordingId: sessionId,
        ...(entry.headSha256 !== undefined && { headSha256: entry.headSha256 }),
      },
    });
    // A store that is down damages nothing.
    if (verification.findings.some(({ code }) => code === "unreadable")) return undefined;
    await note(entry, verification);
    if (verification.ok) await noteLock(entry);
    return verification;
  }

  /** The object's own date, for what the configuration says today may not be what it said then. */
  async function noteLock(entry: SessionEntry): Promise<void> {
    const { store, keeping } = options.locks;
    try {
      const keys = await keysOf(store, entry);
      // Of the segments the last was stored last, so it is locked the longest; the manifest is locked by a rule of its own.
      const telling = [
        keys.findLast((key) => key.endsWith(".seg")),
        keys.find((key) => key.endsWith(manifestName)),
      ];
      let untilMs = 0;
      for (const key of telling)
        if (key !== undefined) untilMs = Math.max(untilMs, (await store.retention(key)).untilMs);
      if (untilMs > 0) await keeping.locked(entry.facts.sessionId, untilMs);
    } catch (error) {
      log.warn("it could not be seen until when the store locks a recording; the next check asks again", {
        session: entry.facts.sessionId,
        error: messageOf(error),
      });
    }
  }

  async function note(
    entry: SessionEntry,
    { ok, findings, breaks, bytes, decrypted }: Verification,
  ): Promise<void> {
    const { sessionId, target } = entry.facts;
    const fault = findings[0]?.message;
    await checks.put({
      sessionId,
      checkedAtMs: clock.nowMs(),
      ok,
      opened: decrypted.withheld !== undefined && !decrypted.withheld.includes("main"),
      bytes,
      ...(fault !== undefined && { fault }),
    });
    if (ok) {
      // A person has put back what was missing. What the manifest itself states as lost stays lost.
      if (entry.recordingState === "corrupt" && breaks.length === 0)
        await sessions.setRecording(sessionId, { state: "stored" });
      return;
    }
    // Found before, and told before.
    if (entry.recordingState === "corrupt" && entry.recordingDetail === fault) return;
    log.error("a stored recording does not verify", { session: sessionId, detail: fault });
    await sessions.setRecording(sessionId, { state: "corrupt", detail: fault ?? "it does not verify" });
    await audit.append({
      event: "session.recording.corrupted",
      user: "system",
      success: false,
      serverId: target.id,
      sessionId,
      fields: { detail: fault ?? "it does not verify" },
    });
  }

  /** One recording; returns after how long the next may follow, and undefined when none is due. */
  async function step(): Promise<number | undefined> {
    const { among, everyMs, bytesPerSecond } = options;
    const nowMs = clock.nowMs();
    const sinceMs = nowMs - goneMs;
    const by = among && {
      gatewayId: among.gatewayId,
      nowMs,
      goneMs: sinceMs,
      seen: await gatewaysSeen(among.settings, sinceMs),
    };
    const sessionId = await checks.next({
      beforeMs: nowMs - everyMs,
      except: [...passedOver],
      ...(by && { by }),
    });
    if (sessionId === undefined) {
      passedOver.clear();
      return undefined;
    }
    // Where another gateway was faster, it is theirs.
    const isClaimed = !by || (await checks.claim(sessionId, { ...by, untilMs: nowMs + claimMs }));
    const found = isClaimed ? await check(sessionId) : undefined;
    if (found) return (found.bytes / bytesPerSecond) * 1000;
    if (isClaimed)
      log.warn("a stored recording could not be read, and is checked later", { session: sessionId });
    if (passedOver.size < passedOverMax) passedOver.add(sessionId);
    return againAfterMs;
  }

  function run(): void {
    timer?.cancel();
    isIdle = false;
    isWoken = false;
    running = step()
      .catch((error: unknown) => {
        // The database or the audit log does not answer; what was found is found again.
        log.error("a check could not be made", { error: messageOf(error) });
        return againAfterMs;
      })
      .then((delayMs) => {
        running = undefined;
        isIdle = delayMs === undefined;
        if (isStarted) timer = clock.after(isIdle && isWoken ? 0 : (delayMs ?? lookEveryMs), run);
      });
  }

  return {
    check,
    start() {
      isStarted = true;
      run();
    },
    wake() {
      isWoken = true;
      if (isStarted && !running && isIdle) run();
    },
    async stop() {
      isStarted = false;
      timer?.cancel();
      await running;
    },
  };
}

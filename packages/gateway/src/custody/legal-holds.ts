import type { HoldCreate, HoldRelease, LegalHold } from "@gatehouse/contracts/rest";
import { type Clock, GatehouseError, messageOf } from "@gatehouse/kernel";
import type { ObjectStore } from "@gatehouse/recording/pipeline";
import type { AuditLog } from "../audit/mod.ts";
import type { RecordingKeeping, SessionEntries, SessionEntry } from "../directory/mod.ts";
import type { Log } from "../telemetry/mod.ts";
import { keysOf } from "./sweeper.ts";

/** Who holds or lets go; that they may was decided before. */
type Holder = { subject: { name: string }; remoteAddress: string };

export type LegalHolds = {
  /** Throws `not_found`, `conflict` where it is held already or gone. */
  hold(by: Holder, sessionId: string, how: HoldCreate): Promise<LegalHold>;
  /** Throws `not_found`, `conflict` where it is not held, `unavailable` where the store does not let go: then it is still held. */
  release(by: Holder, sessionId: string, how: HoldRelease): Promise<void>;
  /** Asks the store to hold what lies there of a held recording. A store that does not answer is asked again by the next sweep. */
  apply(sessionId: string): Promise<void>;
};

/**
 * A hold keeps a recording whatever its retention, until it is lifted. The database's word counts at once, for the sweeper; the
 * store is asked for its own hold on each object besides.
 */
export function createLegalHolds(options: {
  store: Pick<ObjectStore, "list" | "hold">;
  sessions: Pick<SessionEntries, "byId">;
  keeping: Pick<RecordingKeeping, "hold" | "kept" | "release">;
  audit: Pick<AuditLog, "append">;
  clock: Pick<Clock, "nowMs">;
  log: Pick<Log, "warn">;
}): LegalHolds {
  const { store, sessions, keeping, audit, clock, log } = options;

  async function found(sessionId: string): Promise<SessionEntry> {
    const entry = await sessions.byId(sessionId);
    if (entry) return entry;
    throw new GatehouseError({
      code: "not_found",
      op: "custody.hold",
      message: `there is no session ${sessionId}`,
    });
  }
  const conflict = (message: string) => new GatehouseError({ code: "conflict", op: "custody.hold", message });

  const note = (
    { subject, remoteAddress }: Holder,
    event: string,
    { facts }: SessionEntry,
    fields: Record<string, unknown>,
  ) =>
    audit.append({
      event,
      user: subject.name,
      success: true,
      ...(remoteAddress !== "" && { remoteAddress }),
      serverId: facts.target.id,
      sessionId: facts.sessionId,
      fields,
    });

  async function apply(sessionId: string): Promise<void> {
    const entry = await found(sessionId);
    const { hold } = entry;
    if (!hold) return;
    try {
      const keys = await keysOf(store, entry);
      let keptBy: "backend" | "gatehouse" = "backend";
      for (const key of keys) if ((await store.hold(key, true)) === "gatehouse") keptBy = "gatehouse";
      // Nothing there yet: it is asked when the recording is stored.
      if (keys.length > 0 && isAtRest(entry)) await keeping.kept(sessionId, { ...hold, keptBy });
    } catch (error) {
      log.warn("the store could not be asked to hold a recording; it is asked again", {
        session: sessionId,
        error: messageOf(error),
      });
    }
  }

  return {
    apply,
    async hold(by, sessionId, { reason, owner }) {
      const entry = await found(sessionId);
      const hold = {
        reason,
        owner: owner ?? by.subject.name,
        by: by.subject.name,
        sinceMs: clock.nowMs(),
        keptBy: "pending" as const,
      };
      if (!(await keeping.hold(sessionId, hold)))
        throw conflict(
          entry.recordingState === "expired"
            ? "this recording is gone: its retention was over"
            : `this recording is held already: ${entry.hold?.reason ?? "by somebody else, just now"}`,
        );
      await note(by, "session.recording.hold", entry, { reason, owner: hold.owner });
      await apply(sessionId);
      return holdWords((await found(sessionId)).hold ?? hold);
    },
    async release(by, sessionId, { reason }) {
      const entry = await found(sessionId);
      const { hold } = entry;
      if (!hold) throw conflict("this recording is not held");
      // The database's own hold is the last to go: what fails on the way leaves it held.
      for (const key of await keysOf(store, entry)) await store.hold(key, false);
      await note(by, "session.recording.release", entry, {
        reason,
        owner: hold.owner,
        held_for: hold.reason,
        held_since: new Date(hold.sinceMs).toISOString(),
      });
      await keeping.release(sessionId);
    },
  };
}

const isAtRest = ({ recordingState }: SessionEntry) => ["stored", "held", "corrupt"].includes(recordingState);

export function holdWords({ sinceMs, ...hold }: NonNullable<SessionEntry["hold"]>): LegalHold {
  return { ...hold, since: new Date(sinceMs).toISOString() };
}

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { GatehouseError, isGatehouseError, systemRandom } from "@gatehouse/kernel";
import { objectPrefix, type ObjectStore } from "@gatehouse/recording/pipeline";
import { type AuditRecord, openAuditLog } from "../audit/mod.ts";
import { temporaryDirectory } from "../directory/testing/temporary.ts";
import { createFilesystemStore } from "../stores/filesystem/mod.ts";
import { createClockWatch, createLegalHolds, createSweeper, retentionReportOf } from "./mod.ts";

const day = 24 * 3_600_000;
const quiet = { error() {}, warn() {} };
const jane = { subject: { name: "jane" }, remoteAddress: "10.0.1.50" };
const idOf = (n: number) => `0199c0de-0000-7000-8000-${String(n).padStart(12, "0")}`;
const coded = (code: string) => (error: unknown) => isGatehouseError(error) && error.code === code;

type Call = "retention" | "remove" | "expire" | "audit" | "removed";

async function world(context: TestContext) {
  const { directory, clock } = await temporaryDirectory(context);
  const folder = mkdtempSync(join(tmpdir(), "gatehouse-sweep-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const store = createFilesystemStore({ directory: folder, clock, random: systemRandom });
  const log = openAuditLog({
    rows: directory.auditRows,
    probe: () => directory.probe(),
    clock,
    random: systemRandom,
    log: quiet,
  });
  const audited: AuditRecord[] = [];
  const audit = {
    async append(record: AuditRecord) {
      await log.append(record);
      audited.push(record);
    },
  };
  const keeping = directory.recordingKeeping;
  const kept = { pruning: directory.pruning, sessionsKeptMs: 3 * day, eventsKeptMs: 3 * day };
  const witness: { aheadMs?: number } = {};
  /** As after a start: nothing in memory. `fault` is asked before each step and may throw, as a process dies. */
  const start = (fault: (call: Call) => void | Promise<void> = () => {}, gatewayId = "g") => {
    const before =
      <A extends unknown[], R>(call: Call, work: (...args: A) => Promise<R>) =>
      async (...args: A): Promise<R> => {
        await fault(call);
        return work(...args);
      };
    const watch = createClockWatch({
      clock,
      settings: directory.settings,
      gatewayId,
      audit,
      log: quiet,
    });
    const probing: Pick<ObjectStore, "probe"> = {
      probe: async () => ({
        overwrite: "gatehouse",
        deletion: "gatehouse",
        findings: [],
        ...(witness.aheadMs !== undefined && { clockAheadMs: witness.aheadMs }),
      }),
    };
    const holds = createLegalHolds({
      store,
      sessions: directory.sessions,
      keeping,
      audit,
      clock,
      log: quiet,
    });
    const sweeper = createSweeper({
      store: {
        ...probing,
        list: (prefix, options) => store.list(prefix, options),
        retention: before("retention", (key: string) => store.retention(key)),
        remove: before("remove", (key: string) => store.remove(key)),
      },
      sessions: directory.sessions,
      keeping: {
        due: keeping.due,
        unasked: keeping.unasked,
        locked: keeping.locked,
        claim: keeping.claim,
        expire: before("expire", keeping.expire),
        removed: before("removed", keeping.removed),
      },
      holds,
      watch,
      audit: { append: before("audit", audit.append) },
      auditRows: directory.auditRows,
      clock,
      log: quiet,
      everyMs: 60_000,
      gatewayId,
    });
    return { sweeper, holds, watch, ...retentionReportOf({ keeping, watch, audit, clock, ...kept }) };
  };
  const record = async (
    n: number,
    given: { keepMs?: number; lockMs?: number; state?: "stored" | "corrupt" } = {},
  ) => {
    const { keepMs = day, state = "stored" } = given;
    const lockMs = given.lockMs ?? keepMs;
    const sessionId = idOf(n);
    const facts = {
      sessionId,
      startedAt: new Date(clock.nowMs()).toISOString(),
      protocol: "ssh",
      kind: "shell",
      track: "terminal" as const,
      user: { id: "u1", name: "ann" },
      login: "root",
      target: { id: "t1", name: "web-01", address: "10.0.0.1:22" },
      remoteAddress: "10.0.1.50",
      connectionId: "c1",
      gatewayId: "g",
      retentionMs: keepMs,
    };
    await directory.sessions.insert(facts);
    for (const name of ["000000.seg", "000001.seg", "index.bin", "manifest.json"])
      await store.create(`${objectPrefix(facts)}/${name}`, Buffer.from(name), {
        retainUntilMs: clock.nowMs() + lockMs,
      });
    await directory.sessions.end(sessionId, {
      state: "closed",
      endedAtMs: clock.nowMs(),
      reason: "closed",
      durationMs: 0,
      bytes: 40,
    });
    await directory.sessions.setRecording(sessionId, { state });
    return sessionId;
  };
  const stateOf = async (id: string) => (await directory.sessions.byId(id))?.recordingState;
  const objectsOf = async (id: string) =>
    (await store.list("recordings/")).filter((key) => key.includes(id)).length;
  const events = () => audited.map(({ event, sessionId }) => `${event} ${sessionId ?? ""}`.trim());
  return { directory, clock, store, start, record, stateOf, objectsOf, events, audited, witness };
}

test("a recording is removed when its retention is over, and never before", async (context) => {
  const { clock, start, record, stateOf, objectsOf, events, audited, directory } = await world(context);
  const { sweeper } = start();
  const short = await record(1);
  const long = await record(2, { keepMs: 3 * day });
  const broken = await record(3, { state: "corrupt" });
  await sweeper.sweep();
  for (let hour = 0; hour < 24; hour++) {
    assert.deepEqual([await stateOf(short), await objectsOf(short)], ["stored", 4]);
    clock.advance(3_600_000);
    if (hour < 23) assert.equal(await sweeper.sweep(), 0);
  }
  assert.equal(await sweeper.sweep(), 2);
  assert.deepEqual([await stateOf(short), await objectsOf(short)], ["expired", 0]);
  assert.deepEqual([await stateOf(broken), await objectsOf(broken)], ["expired", 0]);
  assert.deepEqual([await stateOf(long), await objectsOf(long)], ["stored", 4]);
  assert.deepEqual(
    events().toSorted(),
    [short, broken].map((id) => `session.recording.expire ${id}`).toSorted(),
  );
  assert.deepEqual(audited[0]?.fields, {
    owner: "ann",
    objects: 4,
    bytes: 40,
    retain_until: new Date(clock.nowMs()).toISOString(),
  });
  assert.equal((await directory.sessions.byId(short))?.removedAtMs, clock.nowMs());
  assert.equal(await sweeper.sweep(), 0);
  assert.equal(audited.length, 2);
});

test("what the store locks for longer waits for it, and until when is written down", async (context) => {
  const { clock, start, record, stateOf, objectsOf, events, directory } = await world(context);
  const { sweeper } = start();
  await sweeper.sweep();
  const lockMs = day + 3_600_000;
  const lockedUntilMs = clock.nowMs() + lockMs;
  const id = await record(1, { lockMs });
  for (let hour = 0; hour < 24; hour++) {
    clock.advance(3_600_000);
    await sweeper.sweep();
  }
  assert.deepEqual([await stateOf(id), await objectsOf(id), events()], ["stored", 4, []]);
  assert.equal((await directory.sessions.byId(id))?.lockedUntilMs, lockedUntilMs);
  clock.advance(3_600_000);
  assert.equal(await sweeper.sweep(), 1);
  assert.deepEqual([await stateOf(id), await objectsOf(id)], ["expired", 0]);
});

test("killed at any step, the next start goes on from there, and tells of it once", async (context) => {
  const steps: Call[] = ["retention", "expire", "audit", "remove", "removed"];
  let n = 0;
  for (const step of steps)
    for (let times = 1; times <= (step === "remove" || step === "retention" ? 4 : 1); times++) {
      const { clock, start, record, stateOf, objectsOf, events, directory } = await world(context);
      await start().sweeper.sweep();
      const id = await record(++n);
      for (let hour = 0; hour < 24; hour++) {
        clock.advance(3_600_000);
        await start().watch.look();
      }
      let left = times;
      let dead = false;
      const dying = start((call) => {
        if (call === step) left--;
        dead ||= left === 0;
        if (dead) throw new Error("killed");
      });
      assert.equal(await dying.sweeper.sweep(), 0, step);
      const told = `${step} ${times}`;
      // Half gone is gone for everybody: nobody is shown what is left of it.
      const isMarked = step !== "retention" && step !== "expire";
      assert.equal(await stateOf(id), isMarked ? "expired" : "stored", told);
      if (!isMarked) assert.equal(await objectsOf(id), 4, told);
      assert.equal(await start().sweeper.sweep(), 1, told);
      assert.deepEqual([await stateOf(id), await objectsOf(id)], ["expired", 0], told);
      assert.deepEqual(events(), [`session.recording.expire ${id}`], told);
      assert.notEqual((await directory.sessions.byId(id))?.removedAtMs, undefined, told);
    }
});

test("two gateways that sweep at once remove each recording once, and one takes over what the other left", async (context) => {
  const { clock, start, record, stateOf, objectsOf, events } = await world(context);
  await start().sweeper.sweep();
  const ids = [await record(1, { keepMs: 3_600_000 }), await record(2, { keepMs: 3_600_000 })];
  clock.advance(3_600_000);
  // Each is stopped once at each step for as long as the other sweeps.
  for (const step of ["audit", "remove"] as const) {
    const id = ids.shift() as string;
    const stopped = Promise.withResolvers<void>();
    const goes = Promise.withResolvers<void>();
    let times = 1;
    const slow = start(async (call) => {
      if (call !== step || times-- !== 1) return;
      stopped.resolve();
      await goes.promise;
    }, "g1");
    const sweeping = slow.sweeper.sweep();
    await stopped.promise;
    await start(() => {}, "g2").sweeper.sweep();
    assert.equal(await objectsOf(id), 4, "it is left to the other");
    goes.resolve();
    await sweeping;
    assert.deepEqual([await stateOf(id), await objectsOf(id)], ["expired", 0]);
    assert.equal(events().filter((one) => one === `session.recording.expire ${id}`).length, 1);
    if (ids.length === 0) break;
    ids[0] = await record(3, { keepMs: 3_600_000 });
    clock.advance(3_600_000);
  }
  const left = await record(4, { keepMs: 3_600_000 });
  clock.advance(3_600_000);
  const dying = start((call) => {
    if (call === "removed") throw new Error("killed");
  }, "g1");
  assert.equal(await dying.sweeper.sweep(), 0);
  assert.equal(await start(() => {}, "g2").sweeper.sweep(), 0);
  clock.advance(11 * 60_000);
  assert.equal(await start(() => {}, "g2").sweeper.sweep(), 1);
  assert.equal(events().filter((one) => one === `session.recording.expire ${left}`).length, 1);
});

test("what is held outlives its retention, whatever becomes of it, until somebody lets go", async (context) => {
  const { clock, start, record, stateOf, objectsOf, events, audited, directory, store } =
    await world(context);
  const { sweeper, holds } = start();
  await sweeper.sweep();
  const id = await record(1);
  const hold = await holds.hold(jane, id, { reason: "case 7", owner: "legal" });
  assert.deepEqual(hold, {
    reason: "case 7",
    owner: "legal",
    by: "jane",
    since: new Date(clock.nowMs()).toISOString(),
    keptBy: "gatehouse",
  });
  assert.equal(await stateOf(id), "held");
  assert.deepEqual(audited.at(-1)?.fields, { reason: "case 7", owner: "legal" });
  await assert.rejects(holds.hold(jane, id, { reason: "again" }), coded("conflict"));
  await assert.rejects(holds.hold(jane, idOf(9), { reason: "none" }), coded("not_found"));
  for (let hour = 0; hour < 48; hour++) {
    clock.advance(3_600_000);
    assert.equal(await sweeper.sweep(), 0);
  }
  const [key = ""] = await store.list("recordings/");
  await assert.rejects(store.remove(key), coded("denied"));
  // Damaged, and put right again: held all the while.
  await directory.sessions.setRecording(id, { state: "corrupt", detail: "a segment is absent" });
  assert.equal(await sweeper.sweep(), 0);
  await directory.sessions.setRecording(id, { state: "stored" });
  assert.deepEqual([await stateOf(id), await objectsOf(id)], ["held", 4]);

  await holds.release(jane, id, { reason: "settled" });
  assert.equal(await stateOf(id), "stored");
  await assert.rejects(holds.release(jane, id, { reason: "again" }), coded("conflict"));
  assert.equal(await sweeper.sweep(), 1);
  await assert.rejects(holds.hold(jane, id, { reason: "too late" }), coded("conflict"));
  assert.deepEqual(
    events().map((one) => one.split(" ")[0]),
    ["session.recording.hold", "session.recording.release", "session.recording.expire"],
  );
});

test("a hold on a session that goes on holds its recording once it is stored", async (context) => {
  const { start, record, stateOf, directory, store } = await world(context);
  const { sweeper, holds } = start();
  const id = await record(1);
  await directory.sessions.setRecording(id, { state: "shipping" });
  assert.equal((await holds.hold(jane, id, { reason: "case 8" })).keptBy, "pending");
  assert.equal(await stateOf(id), "shipping");
  await directory.sessions.setRecording(id, { state: "stored" });
  assert.equal(await stateOf(id), "held");
  await sweeper.sweep();
  assert.equal((await directory.sessions.byId(id))?.hold?.keptBy, "gatehouse");
  for (const key of await store.list("recordings/")) assert.equal((await store.retention(key)).held, true);
});

test("a clock that leaps removes nothing, says so once, and is not forgotten by a restart", async (context) => {
  const { clock, start, record, stateOf, audited, witness } = await world(context);
  const first = start();
  await first.sweeper.sweep();
  const id = await record(1);
  // The wall moves, time itself does not.
  clock.jumpWall(400 * day);
  for (let n = 0; n < 3; n++) assert.equal(await first.sweeper.sweep(), 0);
  const second = start();
  assert.equal(await second.sweeper.sweep(), 0);
  assert.equal(await stateOf(id), "stored");
  assert.deepEqual(
    audited.map(({ event, success }) => [event, success]),
    [
      ["retention.clock", false],
      ["retention.clock", false],
    ],
  );
  assert.equal((await second.retention({})).clock.believed, false);
  // The store's own clock says otherwise, too.
  witness.aheadMs = -400 * day;
  assert.equal(await second.sweeper.sweep(), 0);
  // Somebody vouches for it, and is on record with it; the store still knows better.
  delete witness.aheadMs;
  await second.confirmClock(jane, { reason: "it was the year that was wrong before" });
  assert.deepEqual([audited.at(-1)?.user, audited.at(-1)?.success], ["jane", true]);
  assert.equal((await second.retention({})).clock.believed, true);
  assert.equal(await second.sweeper.sweep(), 1);
  assert.equal(await stateOf(id), "expired");
});

test("a clock that is put right is believed again, and the store's bears a long absence out", async (context) => {
  const { clock, start, record, stateOf, witness } = await world(context);
  const first = start();
  await first.sweeper.sweep();
  const id = await record(1, { keepMs: 20 * day });
  clock.jumpWall(30 * day);
  assert.equal(await first.sweeper.sweep(), 0);
  clock.jumpWall(-30 * day);
  assert.equal(await first.sweeper.sweep(), 0);
  assert.equal(first.watch.doubt, undefined);
  // A month in a drawer: without a witness nobody knows, with one it is true.
  clock.advance(30 * day);
  assert.equal(await start().sweeper.sweep(), 0);
  assert.equal(await stateOf(id), "stored");
  witness.aheadMs = 1_000;
  assert.equal(await start().sweeper.sweep(), 1);
});

test("a report of what will expire removes nothing, and does not count what is held", async (context) => {
  const { clock, start, record, objectsOf } = await world(context);
  const { retention, holds, sweeper } = start();
  await sweeper.sweep();
  const ids = [await record(1), await record(2, { keepMs: 2 * day }), await record(3, { keepMs: 9 * day })];
  await holds.hold(jane, ids[1] as string, { reason: "case 7" });
  const until = new Date(clock.nowMs() + 3 * day).toISOString();
  const report = await retention({ until });
  assert.deepEqual([report.until, report.recordings, report.bytes], [until, 1, 40]);
  assert.deepEqual(
    report.items.map(({ sessionId, state, held, user, target }) => [sessionId, state, held, user, target]),
    [
      [ids[0], "stored", false, "ann", "web-01"],
      [ids[1], "held", true, "ann", "web-01"],
    ],
  );
  assert.deepEqual((await retention({})).items, []);
  for (const id of ids) assert.equal(await objectsOf(id), 4);
});

test("without an audit log nothing is removed", async (context) => {
  const { clock, start, record, objectsOf } = await world(context);
  await start().sweeper.sweep();
  const id = await record(1, { keepMs: 1000 });
  clock.advance(2000);
  const { sweeper } = start((call) => {
    if (call === "audit")
      throw new GatehouseError({ code: "unavailable", op: "audit.append", message: "no disk" });
  });
  assert.equal(await sweeper.sweep(), 0);
  assert.equal(await objectsOf(id), 4);
  assert.equal(await start().sweeper.sweep(), 1);
});

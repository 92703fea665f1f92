import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { type TestContext, test } from "node:test";
import { fromBase64, systemRandom } from "@gatehouse/kernel";
import { openAuditLog } from "../audit/mod.ts";
import { temporaryDirectory } from "../directory/testing/temporary.ts";
import { createClockWatch, createPruner, retentionReportOf } from "./mod.ts";

const day = 24 * 3_600_000;
const quiet = { error() {}, warn() {} };
const idOf = (n: number) => `0199c0de-0000-7000-8000-${String(n).padStart(12, "0")}`;

function newSigner() {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = fromBase64(
    Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url").toString("base64"),
  );
  return { publicKey: raw, sign: (message: Uint8Array) => new Uint8Array(sign(null, message, privateKey)) };
}

async function world(context: TestContext) {
  const { directory, clock } = await temporaryDirectory(context);
  const signer = newSigner();
  const logFor = (trustedKeys: readonly Uint8Array[]) =>
    openAuditLog({
      rows: directory.auditRows,
      probe: () => directory.probe(),
      clock,
      random: systemRandom,
      log: quiet,
      trustedKeys,
    });
  const audit = logFor([signer.publicKey]);
  const watch = createClockWatch({ clock, settings: directory.settings, gatewayId: "g", audit, log: quiet });
  const kept = { pruning: directory.pruning, sessionsKeptMs: 10 * day, eventsKeptMs: 20 * day };
  const start = (fault: (step: string) => void = () => {}) =>
    createPruner({
      ...kept,
      pruning: {
        ...kept.pruning,
        async removeEvents(upTo) {
          fault("events");
          await kept.pruning.removeEvents(upTo);
        },
        async removeSessions(ids) {
          fault("sessions");
          await kept.pruning.removeSessions(ids);
        },
      },
      store: { probe: async () => ({ overwrite: "gatehouse", deletion: "gatehouse", findings: [] }) },
      watch,
      audit,
      auditRows: directory.auditRows,
      signer,
      clock,
    });
  const { retention } = retentionReportOf({
    ...kept,
    keeping: directory.recordingKeeping,
    watch,
    audit,
    clock,
  });
  /** A session of today: its events, and its recording, gone already where nothing else is said. */
  const session = async (n: number, { isGone = true } = {}) => {
    const sessionId = idOf(n);
    await directory.sessions.insert({
      sessionId,
      startedAt: new Date(clock.nowMs()).toISOString(),
      protocol: "ssh",
      kind: "shell",
      track: "terminal",
      user: { id: "u1", name: "ann" },
      login: "root",
      target: { id: "t1", name: "web-01", address: "10.0.0.1:22" },
      remoteAddress: "10.0.1.50",
      connectionId: "c1",
      gatewayId: "g",
      retentionMs: 0,
    });
    await directory.sessions.end(sessionId, {
      state: "closed",
      endedAtMs: clock.nowMs(),
      reason: "closed",
      durationMs: 0,
    });
    await directory.sessions.setRecording(sessionId, { state: "stored" });
    await directory.recordingChecks.put({
      sessionId,
      checkedAtMs: clock.nowMs(),
      ok: true,
      opened: true,
      bytes: 1,
    });
    for (const cols of [1, 2])
      await audit.append({
        event: "resize",
        user: "ann",
        success: true,
        sessionId,
        fields: { size: `${cols}:2`, cols, rows: 2 },
      });
    if (isGone) await goes(sessionId);
    return sessionId;
  };
  const goes = async (sessionId: string) => {
    const nowMs = clock.nowMs();
    await directory.recordingKeeping.expire(sessionId, { gatewayId: "g", nowMs, untilMs: nowMs });
    await directory.recordingKeeping.removed(sessionId, nowMs);
  };
  const indexes = async () =>
    (await audit.list({}, { limit: 500 })).items.map(({ index }) => index).reverse();
  const names = async () => (await audit.list({}, { limit: 500 })).items.map(({ event }) => event).reverse();
  return { directory, clock, audit, logFor, start, retention, session, goes, indexes, names, watch };
}

test("what is known of a session goes after its own retention, when its recording is gone, and never under a hold", async (context) => {
  const { directory, clock, audit, start, retention, session, goes, watch } = await world(context);
  await watch.look();
  const [gone, there, held] = [
    await session(1),
    await session(2, { isGone: false }),
    await session(3, { isGone: false }),
  ];
  await directory.recordingKeeping.hold(held, {
    reason: "case 7",
    owner: "legal",
    by: "jane",
    sinceMs: clock.nowMs(),
    keptBy: "gatehouse",
  });
  const byId = async (id: string) => (await directory.sessions.byId(id)) !== undefined;
  clock.advance(9 * day);
  assert.deepEqual(await start().prune(), { sessions: 0, events: 0 });
  const inTwoDays = new Date(clock.nowMs() + 2 * day).toISOString();
  // The second's recording will be removed until then; the third is held.
  assert.deepEqual((await retention({ until: inTwoDays })).metadata, { sessions: 2, auditEvents: 0 });
  clock.advance(day);
  // By a clock that leapt nothing goes.
  clock.jumpWall(400 * day);
  assert.deepEqual(await start().prune(), { sessions: 0, events: 0 });
  clock.jumpWall(-400 * day);
  const dying = start((step) => {
    if (step === "sessions") throw new Error("killed");
  });
  await assert.rejects(dying.prune(), /killed/);
  assert.equal(await byId(gone), true);
  assert.deepEqual(await start().prune(), { sessions: 1, events: 0 });
  assert.deepEqual([await byId(gone), await byId(there), await byId(held)], [false, true, true]);
  assert.equal(await directory.recordingChecks.of(gone), undefined);
  const { items } = await audit.list({ events: ["session.prune"] });
  assert.deepEqual(items[0]?.["session_ids"], [gone]);
  await goes(there);
  assert.deepEqual(await start().prune(), { sessions: 1, events: 0 });
  assert.deepEqual([await byId(there), await byId(held)], [false, true]);
});

test("the log's beginning goes after its retention, and what remains verifies by itself", async (context) => {
  const { directory, clock, audit, logFor, start, retention, session, goes, indexes, names, watch } =
    await world(context);
  await watch.look();
  await session(1);
  const there = await session(2, { isGone: false });
  await session(3);
  const before = await audit.head();
  clock.advance(20 * day + 1);
  await session(4);
  assert.deepEqual((await retention({})).metadata.auditEvents, 6, "as if the second's recording were gone");
  // The events of a recording that is still there are kept, and all after them.
  const dying = start((step) => {
    if (step === "events") throw new Error("killed");
  });
  await assert.rejects(dying.prune(), /killed/);
  assert.equal((await indexes())[0], 0);
  assert.equal((await audit.verify()).ok, true, "told, and not yet done");
  await start().prune();
  assert.equal((await names()).filter((name) => name === "audit.prune").length, 1, "told once");
  assert.equal((await indexes())[0], 2);
  const known = before ?? assert.fail();
  for (const heads of [[], [known]]) {
    const verdict = await audit.verify(heads);
    assert.deepEqual([verdict.ok, verdict.faults], [true, []]);
  }
  await goes(there);
  await start().prune();
  assert.equal((await indexes())[0], 6);
  assert.equal((await audit.verify([known])).ok, true);

  // Nobody else's word counts for what is missing, and what went is not to be told otherwise.
  const stranger = logFor([newSigner().publicKey]);
  assert.deepEqual(
    (await stranger.verify()).faults.map(({ message }) => message),
    ["events 0 to 5 are missing"],
  );
  assert.deepEqual(
    (await audit.verify([{ index: 5, hash: "f".repeat(64) }])).faults.map(({ kind }) => kind),
    ["replaced"],
  );
  await directory.pruning.removeEvents(6);
  assert.deepEqual(
    (await audit.verify()).faults.map(({ message }) => message),
    ["events 0 to 6 are missing"],
    "more is gone than was told",
  );
});

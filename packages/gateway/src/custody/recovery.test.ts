import assert from "node:assert/strict";
import { test } from "node:test";
import { type TestClock, isGatehouseError, systemRandom } from "@gatehouse/kernel";
import { ageOpener, ageWrapper, openRecording, storeSource } from "@gatehouse/recording";
import { nodeZstd } from "@gatehouse/recording/node";
import { objectPrefix } from "@gatehouse/recording/pipeline";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { MemoryStore, failure } from "../../../recording/src/pipeline/testing/memory-store.ts";
import { sampleRecording } from "../../../recording/src/testing/sample-recording.ts";
import type { AuditRecord } from "../audit/mod.ts";
import type { Directory } from "../directory/mod.ts";
import { temporaryDirectory } from "../directory/testing/temporary.ts";
import {
  createClockWatch,
  createLegalHolds,
  createRewrapper,
  createSweeper,
  recoverSessions,
} from "./mod.ts";

const day = 24 * 3_600_000;
const jane = { subject: { name: "jane" }, remoteAddress: "10.0.1.50" };
const log = { error() {}, warn() {}, info() {} };
const idOf = (n: number) => `0199c0de-0000-7000-8000-${String(n).padStart(12, "0")}`;

test("with the database lost, what the store holds is held, and keys that were wrapped again open it", async (context) => {
  const store = new MemoryStore();
  const audited: AuditRecord[] = [];
  const audit = { append: async (record: AuditRecord) => void audited.push(record) };
  const holdsIn = ({ sessions, recordingKeeping: keeping }: Directory, clock: TestClock) =>
    createLegalHolds({ store, sessions, keeping, audit, clock, log });

  // A gateway with four recordings of a day, of which the second is held, and whose keys are all wrapped again.
  const first = await temporaryDirectory(context);
  const samples = [];
  for (const n of [1, 2, 3, 4]) {
    const { facts, ...sample } = await sampleRecording({ seed: 1, sessionId: idOf(n) });
    samples.push({ facts, ...sample });
    for (const [name, bytes] of sample.objects)
      await store.create(`${objectPrefix(facts)}/${name}`, bytes, { retainUntilMs: 0 });
    await first.directory.sessions.insert(facts);
    await first.directory.sessions.setRecording(facts.sessionId, { state: "stored" });
  }
  const [sample] = samples;
  assert.ok(sample);
  const { signer, opener } = sample;
  const prefixOf = (n: number) => `${objectPrefix({ ...sample.facts, sessionId: idOf(n) })}/`;
  const held = holdsIn(first.directory, first.clock);
  await held.hold(jane, idOf(2), { reason: "case 7" });
  const identity = await generateX25519Identity();
  const wrapper = ageWrapper([await identityToRecipient(identity)]);
  const rewrapper = createRewrapper({
    store,
    ...first.directory,
    openers: [opener],
    trustedKeys: [signer.publicKey],
    wrappers: { main: [wrapper], input: [wrapper] },
    signer,
    holds: held,
    audit,
    clock: first.clock,
    random: systemRandom,
    log,
    gatewayId: sample.facts.gatewayId,
    shared: false,
  });
  await rewrapper.rewrap(jane, {});
  assert.equal((await rewrapper.ended()).wrapped, 4);
  // Of the third only the first object is held, of the fourth the last: somebody was cut off.
  const names = [...store.objects.keys()].toSorted();
  const firstOf3 = names.find((key) => key.startsWith(prefixOf(3))) as string;
  const lastOf4 = names.findLast((key) => key.startsWith(prefixOf(4))) as string;
  await store.hold(firstOf3, true);
  await store.hold(lastOf4, true);

  const { directory, clock } = await temporaryDirectory(context);
  audited.length = 0;
  const recover = (change: Partial<Parameters<typeof recoverSessions>[0]> = {}) =>
    recoverSessions({
      store,
      sessions: directory.sessions,
      trustedKeys: [signer.publicKey],
      holds: holdsIn(directory, clock),
      ...change,
    });
  // Cut off before it could ask whether the second is held; until then the store's own hold is what keeps it.
  const silent = {
    list: store.list.bind(store),
    read: store.read.bind(store),
    retention: async (key: string) => {
      if (key.startsWith(prefixOf(2))) throw failure("unavailable", "connection refused");
      return store.retention(key);
    },
  };
  await assert.rejects(recover({ store: silent }), (error) => isGatehouseError(error, "unavailable"));
  assert.equal((await directory.sessions.byId(idOf(2)))?.recordingState, "stored");

  const none = { corrected: 0, faults: [], faulty: 0 };
  assert.deepEqual(await recover(), { found: 4, added: 2, held: 3, ...none });
  const before = await Promise.all([1, 2, 3, 4].map((n) => directory.sessions.byId(idOf(n))));
  assert.deepEqual(await recover(), { found: 4, added: 0, held: 0, ...none });
  assert.deepEqual(await Promise.all([1, 2, 3, 4].map((n) => directory.sessions.byId(idOf(n)))), before);
  assert.deepEqual(
    before.map((entry) => [entry?.recordingState, entry?.hold?.owner, entry?.hold?.keptBy]),
    [
      ["stored", undefined, undefined],
      ["held", "unknown", "backend"],
      ["held", "unknown", "backend"],
      ["held", "unknown", "backend"],
    ],
  );
  assert.match(before[1]?.hold?.reason ?? "", /lost with the database/);
  assert.deepEqual(
    audited.map(({ event, user, sessionId }) => [event, user, sessionId]),
    [2, 3, 4].map((n) => ["session.recording.hold", "system", idOf(n)]),
  );
  const bare = names.filter((key) => !store.held.has(key));
  assert.ok(bare.length > 0 && bare.every((key) => key.startsWith(prefixOf(1))), bare.join(", "));

  // Whom the keys were wrapped for again opens them.
  for (const n of [1, 2, 3, 4]) {
    assert.ok(store.objects.has(`${prefixOf(n)}keys-0001.json`));
    const source = storeSource(store, prefixOf(n));
    const { withheld } = await openRecording({ source, openers: [ageOpener([identity])], zstd: nodeZstd });
    assert.deepEqual(withheld, []);
  }

  // Long after everybody's retention.
  await directory.recordingKeeping.fill(day);
  clock.advance(3_650 * day);
  const watch = createClockWatch({ clock, settings: directory.settings, gatewayId: "g", audit, log });
  await watch.confirm();
  const sweeper = createSweeper({
    store: {
      list: store.list.bind(store),
      retention: store.retention.bind(store),
      remove: store.remove.bind(store),
      probe: store.probe.bind(store),
    },
    sessions: directory.sessions,
    keeping: directory.recordingKeeping,
    holds: holdsIn(directory, clock),
    watch,
    audit,
    auditRows: directory.auditRows,
    clock,
    log,
    everyMs: day,
    gatewayId: "g",
  });
  assert.equal(await sweeper.sweep(), 1);
  assert.deepEqual(
    [...store.objects.keys()].toSorted(),
    names.filter((key) => !key.startsWith(prefixOf(1))),
  );

  // Lifted by a person, it goes as any other.
  await holdsIn(directory, clock).release(jane, idOf(2), { reason: "closed" });
  assert.equal(await sweeper.sweep(), 1);
  assert.ok([...store.objects.keys()].every((key) => !key.startsWith(prefixOf(2))));
});

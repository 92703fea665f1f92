import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { GatehouseError, isGatehouseError, systemRandom } from "@gatehouse/kernel";
import {
  type KeyOpener,
  type KeyWrapper,
  ageOpener,
  ageWrapper,
  openRecording,
  storeSource,
  verifyRecording,
} from "@gatehouse/recording";
import { nodeZstd } from "@gatehouse/recording/node";
import { objectPrefix } from "@gatehouse/recording/pipeline";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { MemoryStore } from "../../../recording/src/pipeline/testing/memory-store.ts";
import { type Sample, sampleRecording } from "../../../recording/src/testing/sample-recording.ts";
import type { AuditRecord } from "../audit/mod.ts";
import { temporaryDirectory } from "../directory/testing/temporary.ts";
import { createLegalHolds, createRewrapper } from "./mod.ts";

const day = 24 * 3_600_000;
const jane = { subject: { name: "jane" }, remoteAddress: "10.0.1.50" };
const log = { error() {}, warn() {}, info() {} };
const idOf = (n: number) => `0199c0de-0000-7000-8000-${String(n).padStart(12, "0")}`;

async function person() {
  const identity = await generateX25519Identity();
  return { opener: ageOpener([identity]), recipient: await identityToRecipient(identity) };
}

/** `count` recordings in a store, and whoever wraps their keys again. */
async function world(context: TestContext, count: number) {
  const { directory, clock } = await temporaryDirectory(context);
  const store = new MemoryStore();
  const audited: AuditRecord[] = [];
  const audit = { append: async (record: AuditRecord) => void audited.push(record) };
  const keeping = directory.recordingKeeping;
  const holds = createLegalHolds({ store, sessions: directory.sessions, keeping, audit, clock, log });
  const samples: Sample[] = [];
  for (let n = 1; n <= count; n++) {
    const sample = await sampleRecording({ seed: n, sessionId: idOf(n) });
    samples.push(sample);
    const retainUntilMs = clock.nowMs() + n * day;
    for (const [name, bytes] of sample.objects)
      await store.create(`${objectPrefix(sample.facts)}/${name}`, bytes, { retainUntilMs });
    await directory.sessions.insert(sample.facts);
    await directory.sessions.setRecording(sample.facts.sessionId, { state: "stored" });
  }
  const [{ opener, signer }] = samples as [Sample];
  const next = await person();
  const wrapper = ageWrapper([next.recipient]);
  const rewrapper = (change: Partial<Parameters<typeof createRewrapper>[0]> = {}) =>
    createRewrapper({
      store,
      sessions: directory.sessions,
      openers: [opener],
      trustedKeys: [signer.publicKey],
      wrappers: { main: [wrapper], input: [wrapper] },
      signer,
      holds,
      settings: directory.settings,
      audit,
      clock,
      random: systemRandom,
      log,
      gatewayId: samples[0]?.facts.gatewayId ?? "",
      shared: false,
      ...change,
    });
  const prefixOf = (n: number) => `${objectPrefix((samples[n - 1] as Sample).facts)}/`;
  const keysOf = (n: number) =>
    [...store.objects.keys()]
      .filter((key) => key.startsWith(`${prefixOf(n)}keys-`))
      .map((key) => key.slice(-9, -5));
  const withheld = async (n: number, by: KeyOpener) =>
    (await openRecording({ source: storeSource(store, prefixOf(n)), openers: [by], zstd: nodeZstd }))
      .withheld;
  const figures = ({
    seen,
    wrapped,
    partly,
    same,
    withheld: not,
    failed,
  }: ReturnType<ReturnType<typeof rewrapper>["rewrapping"]>) => [seen, wrapped, partly, same, not, failed];
  return {
    directory,
    store,
    audited,
    audit,
    holds,
    samples,
    next,
    opener,
    signer,
    wrapper,
    rewrapper,
    prefixOf,
    keysOf,
    withheld,
    figures,
  };
}

test("every recording's keys are wrapped again, beside it and kept as long; a second time there is nothing to do", async (context) => {
  const {
    directory,
    store,
    audited,
    holds,
    samples,
    next,
    rewrapper,
    prefixOf,
    keysOf,
    withheld,
    figures,
    signer,
  } = await world(context, 6);
  await holds.hold(jane, idOf(2), { reason: "case 7" });
  await directory.sessions.setRecording(idOf(5), { state: "expired" });
  audited.length = 0;
  const one = rewrapper();
  assert.equal(one.rewrapping().state, "idle");
  await one.rewrap(jane, { dryRun: true });
  await assert.rejects(one.rewrap(jane, {}), (error) => isGatehouseError(error, "conflict"));
  const dry = await one.ended();
  assert.deepEqual([dry.state, dry.dryRun, figures(dry), audited], ["done", true, [5, 5, 0, 0, 0, 0], []]);
  assert.deepEqual([1, 2, 3, 4, 5, 6].flatMap(keysOf), []);

  await one.rewrap(jane, {});
  const done = await one.ended();
  assert.deepEqual([done.state, done.by, figures(done)], ["done", "jane", [5, 5, 0, 0, 0, 0]]);
  assert.deepEqual(done.recipients, [`${next.recipient} (output and input)`]);
  for (const n of [1, 2, 3, 4, 6]) {
    assert.deepEqual(keysOf(n), ["0001"]);
    assert.deepEqual(await withheld(n, next.opener), []);
    const key = `${prefixOf(n)}keys-0001.json`;
    assert.equal(store.retained.get(key), store.retained.get(`${prefixOf(n)}manifest.json`));
    assert.equal(store.held.has(key), n === 2);
    const found = await verifyRecording(storeSource(store, prefixOf(n)), { trustedKeys: [signer.publicKey] });
    assert.deepEqual(found.findings, []);
  }
  const [first, ...each] = audited;
  assert.deepEqual(
    [first?.event, first?.user, first?.fields],
    ["recordings.rewrap", "jane", { recipients: done.recipients }],
  );
  assert.deepEqual(each.map(({ sessionId }) => sessionId).toSorted(), [1, 2, 3, 4, 6].map(idOf));
  assert.deepEqual(each[0]?.fields, {
    owner: samples[0]?.facts.user.name,
    number: 1,
    recipients: done.recipients,
    output: true,
    input: true,
  });
  await one.rewrap(jane, {});
  assert.deepEqual(figures(await one.ended()), [5, 0, 0, 5, 0, 0]);
  await one.rewrap(jane, { to: samples[0]?.facts.startedAt ?? "" });
  assert.deepEqual(figures(await one.ended()), [0, 0, 0, 0, 0, 0]);
});

test("ended at any of its steps and begun again, each recording has one new object, and it is whole", async (context) => {
  const { directory, store, audited, next, rewrapper, keysOf, withheld, figures, audit } = await world(
    context,
    3,
  );
  const all = () => [1, 2, 3].map(keysOf);
  for (const dies of ["audit", "create", "read"] as const)
    for (const after of [0, 1, 2]) {
      for (const key of store.objects.keys()) if (key.includes("/keys-")) store.objects.delete(key);
      let left = after;
      let dead = false;
      /** From the given moment on nothing that this process does comes to anything, as after a kill. */
      const step = (at: typeof dies, key = "/keys-") => {
        if (at === dies && key.includes("/keys-") && left-- === 0) dead = true;
        if (dead) throw new GatehouseError({ code: "unavailable", op: "test", message: "killed" });
      };
      const killed = rewrapper({
        store: {
          list: (prefix, options) => store.list(prefix, options),
          retention: (key) => store.retention(key),
          async read(key, range) {
            step("read", key);
            return store.read(key, range);
          },
          async create(key, bytes, options) {
            step("create", key);
            return store.create(key, bytes, options);
          },
        },
        audit: {
          async append(record) {
            if (record.sessionId !== undefined) step("audit");
            return audit.append(record);
          },
        },
        settings: {
          get: directory.settings.get,
          set: async (name, value) => void (dead || (await directory.settings.set(name, value))),
        },
      });
      await killed.rewrap(jane, {});
      assert.ok((await killed.ended()).failed > 0, `${dies} ${after}`);
      audited.length = 0;
      const again = rewrapper();
      await again.resume();
      const done = await again.ended();
      assert.deepEqual(
        [done.state, done.by, done.seen, done.failed],
        ["done", "jane", 3, 0],
        `${dies} ${after}`,
      );
      assert.deepEqual(all(), [["0001"], ["0001"], ["0001"]]);
      for (const n of [1, 2, 3]) assert.deepEqual(await withheld(n, next.opener), []);
      // What is done is not taken up once more.
      const third = rewrapper();
      await third.resume();
      assert.deepEqual([third.rewrapping().state, figures(third.rewrapping())], ["idle", [0, 0, 0, 0, 0, 0]]);
    }
});

test("two gateways at once: each recording is wrapped again by one of them", async (context) => {
  const { rewrapper, keysOf, figures } = await world(context, 5);
  const [a, b] = [rewrapper(), rewrapper()];
  await Promise.all([a.rewrap(jane, {}), b.rewrap(jane, {})]);
  const [one, other] = [await a.ended(), await b.ended()];
  assert.deepEqual(
    [1, 2, 3, 4, 5].flatMap(keysOf),
    Array.from({ length: 5 }, () => "0001"),
  );
  assert.deepEqual([one.wrapped + other.wrapped, one.failed, other.failed], [5, 0, 0]);
  assert.equal(figures(one)[0], 5);
});

test("what cannot be done is told of: no key, a service that is down, a store that loses or alters", async (context) => {
  const { store, next, wrapper, rewrapper, keysOf, samples, withheld, audited } = await world(context, 2);
  const stranger = await person();
  const none = rewrapper({ openers: [stranger.opener] });
  await none.rewrap(jane, {});
  assert.deepEqual([(await none.ended()).withheld, keysOf(1)], [2, []]);

  const mainOnly = rewrapper({ openers: [(samples[0] as Sample).mainOpener] });
  await mainOnly.rewrap(jane, {});
  const partly = await mainOnly.ended();
  assert.deepEqual([partly.wrapped, partly.partly], [2, 2]);
  assert.deepEqual(await withheld(1, next.opener), ["input"]);
  assert.deepEqual(audited.at(-1)?.fields?.["input"], false);

  const down: KeyWrapper = {
    covers: () => false,
    wrap: () =>
      Promise.reject(
        new GatehouseError({ code: "unavailable", op: "kms.wrap", message: "vault: no answer" }),
      ),
  };
  audited.length = 0;
  const without = rewrapper({ wrappers: { main: [wrapper, down], input: [wrapper] } });
  await assert.rejects(without.rewrap(jane, {}), { message: "vault: no answer" });
  assert.deepEqual([without.rewrapping().state, audited], ["idle", []]);

  store.stored = (bytes, key) => (key.includes("/keys-") ? bytes.subarray(1) : bytes);
  const altering = rewrapper();
  await altering.rewrap(jane, {});
  const failed = await altering.ended();
  assert.deepEqual([failed.wrapped, failed.failed], [0, 2]);
  assert.match(failed.faults[0]?.detail ?? "", /keys-0002\.json is not in the store as it was written/);
  // And the next time it is done under the next number, past what is no good.
  store.stored = (bytes) => bytes;
  await altering.rewrap(jane, {});
  assert.deepEqual([(await altering.ended()).wrapped, keysOf(1)], [2, ["0001", "0002", "0003"]]);
  assert.deepEqual(await withheld(1, next.opener), []);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes, fromUtf8, utf8 } from "@gatehouse/kernel";
import { bytesReader, openBundle, storeSource, verifyRecording } from "@gatehouse/recording";
import { objectPrefix } from "@gatehouse/recording/pipeline";
import { newFacts, opener, signer, testPipeline } from "../../../recording/src/pipeline/testing/kit.ts";
import { MemoryDisk } from "../../../recording/src/pipeline/testing/memory-disk.ts";
import { MemoryStore } from "../../../recording/src/pipeline/testing/memory-store.ts";
import { decide } from "../access/mod.ts";
import { createIndexes, searchKeys } from "../indexes/mod.ts";
import { type Viewer, createPlayback } from "./mod.ts";

const unused = () => Promise.reject(new Error("not for a live session"));

test("a session is watched and searched while it is recorded, and taken away when it has ended", async (context) => {
  const firstSegment = Promise.withResolvers<void>();
  class WatchedStore extends MemoryStore {
    override async create(...given: Parameters<MemoryStore["create"]>): Promise<void> {
      await super.create(...given);
      if (given[0].endsWith("000000.seg")) firstSegment.resolve();
    }
  }
  const store = new WatchedStore();
  const { pipeline, state, clock } = testPipeline({ disk: new MemoryDisk(), store });
  await pipeline.recover();
  const facts = newFacts();
  let recordingState: "recording" | "stored" = "recording";
  const indexes = createIndexes({
    store,
    openers: [opener],
    trustedKeys: [signer.publicKey],
    sessions: { byId: async () => undefined },
    rows: { of: async () => undefined, put: unused, next: unused },
    filters: { put: unused, has: unused, remove: unused },
    searchKeys: searchKeys(new Uint8Array(32)),
    clock,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  });
  context.after(() => indexes.stop());
  const playback = createPlayback({
    indexes,
    sourceOf: (of) => storeSource(store, `${objectPrefix(of)}/`),
    openers: [opener],
    rights: { watch: ({ gone }) => ({ signal: gone, require: () => undefined, end: () => undefined }) },
    trustedKeys: [signer.publicKey],
    signer,
    sessions: { byId: async () => ({ facts, startedAtMs: 0, state: "live", recordingState }) },
    resources: { ofSession: async (entry) => ({ ownerId: entry.facts.user.id, ownerTeams: ["team-1"] }) },
    auditRows: { list: async () => [] },
    decide,
    audit: { append: async () => undefined },
    clock,
    version: "1",
  });
  const watcher: Viewer = {
    subject: { id: "aud", name: "aud", roles: ["auditor"], leads: [] },
    channel: "web",
    remoteAddress: "",
  };
  const never = { signal: new AbortController().signal, renew: async () => undefined };
  const seen = async () => {
    let text = "";
    for await (const frame of await playback.frames(watcher, facts.sessionId, { fromUs: 0 }, never))
      if (frame.kind === "output") text += fromUtf8(frame.data);
    return text;
  };

  const writer = await pipeline.open(facts);
  await assert.rejects(seen(), { code: "conflict" }, "nothing is stored yet, and that is said");
  await writer.append("output", 0, utf8("first words\r\n"));
  clock.advance(3_000);
  // More than a segment: the rest stays in the journal.
  const lines = Array.from({ length: 2_000 }, (_, i) => `line ${i}\r\n`);
  const said = lines.join("");
  for (let at = 0; at < lines.length; at += 100)
    await writer.append("output", 0, utf8(lines.slice(at, at + 100).join("")));
  await firstSegment.promise;
  const soFar = await seen();
  assert.ok(soFar.length > 0 && `first words\r\n${said}`.startsWith(soFar));
  const { hits, isWhole } = await playback.search(watcher, facts.sessionId, { text: "first words" }, never);
  assert.deepEqual(
    hits.map(({ text, timeUs }) => [text, timeUs < 1_000_000]),
    [["first words", true]],
    "found at the moment from which it stood there, not at the one when it left the screen",
  );
  assert.equal(isWhole, false);
  const { index } = await playback.overview(watcher, facts.sessionId);
  assert.ok(index && index.durationUs >= 3_000_000 && index.text.length > 0);

  await writer.close({ reason: "closed" });
  await state(facts.sessionId, "stored");
  recordingState = "stored";
  assert.equal(await seen(), `first words\r\n${said}`);
  const verification = await playback.verify(watcher, facts.sessionId);
  assert.deepEqual([verification.ok, verification.firstFault], [true, null]);
  const { chunks } = await playback.export(watcher, facts.sessionId, "bundle", never);
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  const bundle = await openBundle(bytesReader(concatBytes(parts)));
  assert.deepEqual((await verifyRecording(bundle, { trustedKeys: [signer.publicKey] })).findings, []);
  await pipeline.stop({ deadlineMs: 1000 });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { fromUtf8, isGatehouseError, utf8 } from "@gatehouse/kernel";
import type { RecordingWriter } from "./door.ts";
import { objectPrefix } from "./shipper.ts";
import { newFacts, readBack, testPipeline } from "./testing/kit.ts";
import { MemoryDisk, systemError } from "./testing/memory-disk.ts";
import { failure, MemoryStore } from "./testing/memory-store.ts";

const refused = (pattern: RegExp) => (error: unknown) =>
  isGatehouseError(error, "recording_unavailable") && pattern.test(error.message);
const tick = () => new Promise((resolve) => setImmediate(resolve));

/** Moves time on until something is so. */
async function until(clock: { advance(ms: number): void }, so: () => boolean): Promise<void> {
  const began = performance.now();
  while (!so()) {
    assert.ok(performance.now() - began < 15_000, "it never came about");
    clock.advance(5);
    await tick();
  }
}

async function started(options: Partial<Parameters<typeof testPipeline>[0]> = {}) {
  const disk = new MemoryDisk();
  const store = new MemoryStore();
  const under = testPipeline({ disk, store, ...options });
  await under.pipeline.recover();
  return { disk, store, ...under };
}

async function texts(store: MemoryStore, facts: Parameters<typeof readBack>[1]) {
  const { frames, verification } = await readBack(store, facts);
  assert.deepEqual(verification.findings, []);
  const kept = frames.filter((frame) => frame.kind === "output").map((frame) => fromUtf8(frame.data));
  return { kept, state: verification.state };
}

test("nothing is opened before recovery", async () => {
  const { pipeline } = testPipeline({ disk: new MemoryDisk(), store: new MemoryStore() });
  await assert.rejects(pipeline.open(newFacts()), refused(/recovered/));
});

test("a journal that fails in mid-session: what waits is rejected, what was acknowledged is kept", async () => {
  const { pipeline, disk, store, clock, state } = await started();
  const facts = newFacts();
  const writer = await pipeline.open(facts);
  await writer.append("output", 0, utf8("kept"));
  disk.fault = (call, path) => {
    if (call === "write" && path.endsWith(".journal")) throw systemError("EIO", path);
  };
  const waiting = [writer.append("output", 0, utf8("lost")), writer.append("output", 0, utf8("lost too"))];
  for (const one of waiting) await assert.rejects(one, refused(/EIO/));
  await assert.rejects(writer.append("output", 0, utf8("later")), refused(/EIO/));
  await writer.ready();
  assert.equal(writer.pendingBytes, 0);
  await assert.rejects(writer.close({ reason: "closed" }), refused(/EIO/));
  await assert.rejects(pipeline.open(newFacts()), refused(/EIO/));
  assert.match(pipeline.status().journal.failure ?? "", /EIO/);
  disk.fault = () => {};
  const next = await pipeline.open(newFacts());
  await next.append("output", 0, utf8("again"));
  // The dead writer's recording is closed by the pipeline itself.
  await until(clock, () => store.objects.has(`${objectPrefix(facts)}/manifest.json`));
  await state(facts.sessionId, "stored");
  assert.deepEqual(await texts(store, facts), { kept: ["kept"], state: "interrupted" });
});

test("a full disk refuses the session before anything is opened", async () => {
  const disk = new MemoryDisk();
  disk.fault = (call, path) => {
    if (call === "write" && path.includes("/journal/")) throw systemError("ENOSPC", path);
  };
  const { pipeline } = testPipeline({ disk, store: new MemoryStore() });
  await pipeline.recover();
  await assert.rejects(pipeline.admissible(), refused(/no room .*ENOSPC/));
  disk.fault = () => {};
  await pipeline.admissible();
});

test("a journal that cannot be read stops recovery, which can be tried again", async () => {
  const disk = new MemoryDisk();
  disk.fault = (call) => {
    if (call === "create") throw systemError("EROFS", "/gate");
  };
  const { pipeline } = testPipeline({
    disk,
    store: new MemoryStore(),
    lock: () => {
      disk.fault("create", "/gate/lock");
      return { release() {} };
    },
  });
  await assert.rejects(pipeline.recover(), refused(/EROFS/));
  await assert.rejects(pipeline.admissible(), refused(/EROFS/));
  disk.fault = () => {};
  await pipeline.recover();
  await pipeline.admissible();
});

test("a spool that fails: new sessions are refused, the journal keeps the old, and all is sealed when it works", async () => {
  const { pipeline, disk, store, clock, state } = await started();
  const facts = newFacts();
  const writer = await pipeline.open(facts);
  disk.fault = (call, path) => {
    if (call === "create" && path.includes("/spool/")) throw systemError("ENOSPC", path);
  };
  await writer.append("output", 0, new Uint8Array(9_000).fill(65));
  await until(clock, () => pipeline.status().journal.failure !== undefined);
  await assert.rejects(pipeline.admissible(), refused(/spool.*ENOSPC/));
  await writer.append("output", 0, utf8("still recorded"));
  await assert.rejects(writer.close({ reason: "closed" }), refused(/spool.*ENOSPC/));
  disk.fault = () => {};
  await until(clock, () => store.objects.has(`${objectPrefix(facts)}/manifest.json`));
  await state(facts.sessionId, "stored");
  assert.deepEqual((await texts(store, facts)).kept, ["A".repeat(9_000), "still recorded"]);
  await pipeline.admissible();
});

test("a spool that fails for long: the journal fills, pushes back, and then ends the session", async () => {
  const { pipeline, disk, store, clock, state } = await started();
  const facts = newFacts();
  const writer = await pipeline.open(facts);
  disk.fault = (call, path) => {
    if (call === "create" && path.includes("/spool/")) throw systemError("EIO", path);
  };
  let taken = 0;
  let pushedBack = 0;
  const append = async (): Promise<void> => {
    for (;;) {
      if (pushedBack === 0 && writer.pendingBytes > 128 * 1024) pushedBack = taken;
      await writer.append("output", 0, new Uint8Array(4_000));
      taken += 4_000;
    }
  };
  await assert.rejects(append(), refused(/journal is full/));
  assert.ok(pushedBack > 0 && pushedBack < taken, `pushed back at ${pushedBack}, full at ${taken}`);
  assert.ok(taken > 300_000, `${taken} of 512 KiB`);
  await writer.ready();
  disk.fault = () => {};
  await until(clock, () => store.objects.has(`${objectPrefix(facts)}/manifest.json`));
  await state(facts.sessionId, "stored");
  const { kept } = await texts(store, facts);
  assert.equal(kept.length * 4_000, taken);
});

test("whoever waits for room that nobody gives back is told so, and what was committed is kept", async () => {
  const { pipeline, disk, store, clock, state } = await started();
  const facts = newFacts();
  const writer = await pipeline.open(facts);
  disk.fault = (call, path) => {
    if (call === "create" && path.includes("/spool/")) throw systemError("ENOSPC", path);
  };
  let taken = 0;
  const work = async (): Promise<void> => {
    for (;;) {
      if (writer.pendingBytes > 128 * 1024) await writer.ready();
      await writer.append("output", 0, new Uint8Array(4_000));
      taken += 4_000;
    }
  };
  let ended = false;
  const working = work().finally(() => (ended = true));
  working.catch(() => undefined);
  await until(clock, () => ended);
  await assert.rejects(working, refused(/full for 10 seconds/));
  assert.equal(writer.pendingBytes, 0);
  disk.fault = () => {};
  await until(clock, () => store.objects.has(`${objectPrefix(facts)}/manifest.json`));
  await state(facts.sessionId, "stored");
  const { kept } = await texts(store, facts);
  assert.equal(kept.length * 4_000, taken);
});

test("whoever heeds ready() is not refused for want of room", async () => {
  const { pipeline } = await started({ limits: { segmentAgeMs: 1_000_000 } });
  const writers = await Promise.all(Array.from({ length: 8 }, () => pipeline.open(newFacts())));
  const chunk = new Uint8Array(3_000);
  let settled = false;
  const working = Promise.all(
    writers.map(async (writer) => {
      for (let i = 0; i < 150; i++) {
        // The mark is as small as this journal.
        if (writer.pendingBytes > 12 * 1024) await writer.ready();
        await writer.append("output", 0, chunk);
      }
    }),
  ).finally(() => {
    settled = true;
  });
  // Time stands still: nothing of this is a matter of waiting.
  await until({ advance() {} }, () => settled);
  await working;
});

test("a store that is down in mid-session ends nothing; sessions are refused until it answers", async () => {
  const { pipeline, store, clock, state } = await started();
  const facts = newFacts();
  const writer = await pipeline.open(facts);
  store.fault = () => {
    throw failure("unavailable", "connection refused");
  };
  await writer.append("output", 0, new Uint8Array(9_000).fill(66));
  await until(clock, () => !pipeline.status().store.reachable);
  await assert.rejects(pipeline.open(newFacts()), refused(/store of recordings is not usable$/));
  assert.match(pipeline.status().store.lastError ?? "", /connection refused/);
  await writer.append("output", 0, utf8("meanwhile"));
  await writer.close({ reason: "closed" });
  assert.ok(pipeline.status().shipping.waitingBytes > 0);
  assert.match(pipeline.status().shipping.lastError ?? "", /connection refused/);
  store.fault = () => {};
  await until(clock, () => store.objects.has(`${objectPrefix(facts)}/manifest.json`));
  await state(facts.sessionId, "stored");
  assert.deepEqual((await texts(store, facts)).kept, ["B".repeat(9_000), "meanwhile"]);
  assert.equal(pipeline.status().shipping.waitingBytes, 0);
  await pipeline.admissible();
});

test("a store that was down at admission is probed again at once", async () => {
  const { pipeline, store } = await started();
  store.fault = (call) => {
    if (call === "probe") throw failure("unavailable", "not yet");
  };
  await tick();
  const { pipeline: other } = testPipeline({ disk: new MemoryDisk(), store });
  await other.recover();
  await assert.rejects(other.admissible(), refused(/store of recordings is not usable/));
  assert.match(other.status().store.lastError ?? "", /not yet/);
  store.fault = () => {};
  await other.admissible();
  await pipeline.admissible();
});

test("a spool that is full ends live sessions and refuses new ones; nothing of it is lost", async () => {
  const { pipeline, store, clock, state } = await started({ limits: { spoolBytesMax: 20_000 } });
  const facts = newFacts();
  const writer = await pipeline.open(facts);
  store.fault = (call) => {
    if (call === "create") throw failure("unavailable", "down");
  };
  let taken = 0;
  const append = async (): Promise<void> => {
    for (;;) {
      await writer.append("output", 0, crypto.getRandomValues(new Uint8Array(5_000)));
      taken++;
      await tick();
      // Sealing has a thread of its own: the spool is to be full, and not the journal before it.
      for (let i = 0; i < 1_000 && pipeline.status().journal.usedBytes > 128 * 1024; i++) await tick();
    }
  };
  await assert.rejects(append(), refused(/wait for the store/));
  await assert.rejects(pipeline.admissible(), refused(/wait for the store/));
  store.fault = () => {};
  await until(clock, () => store.objects.has(`${objectPrefix(facts)}/manifest.json`));
  await state(facts.sessionId, "stored");
  const { frames, verification } = await readBack(store, facts);
  assert.equal(verification.ok, true);
  assert.equal(frames.filter((frame) => frame.kind === "output").length, taken);
  await pipeline.admissible();
});

test("a store that says yes and stores nothing, or other bytes: nothing is removed here, and it is named", async () => {
  const { pipeline, store, clock, state, lines, disk } = await started();
  const facts = newFacts();
  store.stored = (bytes, key) => (key.endsWith("000000.seg") ? undefined : bytes);
  const writer = await pipeline.open(facts);
  await writer.close({ reason: "closed" });
  await until(clock, () => lines.some((line) => /does not have it/.test(String(line.fields["error"]))));
  assert.ok(disk.paths().includes(`/gate/spool/${facts.sessionId}/000000.seg`));
  assert.ok(
    !store.objects.has(`${objectPrefix(facts)}/manifest.json`),
    "the manifest waits for its segments",
  );
  store.stored = (bytes, key) => (key.endsWith("000000.seg") ? bytes.slice(1) : bytes);
  const change = await (async () => {
    const corrupt = state(facts.sessionId, "corrupt");
    await until(clock, () => lines.some((line) => /other bytes/.test(String(line.fields["error"]))));
    return corrupt;
  })();
  assert.match(change.detail ?? "", /the store holds other bytes under recordings\/.*000000\.seg/);
  assert.ok(disk.paths().includes(`/gate/spool/${facts.sessionId}/000000.seg`));
  // A person puts it right.
  store.stored = (bytes) => bytes;
  store.objects.delete(`${objectPrefix(facts)}/000000.seg`);
  await until(clock, () => store.objects.has(`${objectPrefix(facts)}/manifest.json`));
  await state(facts.sessionId, "stored");
  assert.deepEqual((await texts(store, facts)).state, "complete");
});

test("a store that hangs is given up, and one bad object keeps no other waiting", async () => {
  const { pipeline, store, clock, state } = await started({
    limits: { storeTimeoutMs: 50, shipConcurrency: 2 },
  });
  const stuck = newFacts();
  store.fault = (call, key) => {
    if (call === "create" && key.includes(stuck.sessionId)) return new Promise<void>(() => {});
  };
  const writer = await pipeline.open(stuck);
  await writer.append("output", 0, new Uint8Array(20_000));
  await writer.close({ reason: "closed" });
  const others = [newFacts(), newFacts(), newFacts()];
  for (const facts of others) {
    // The store has just failed to answer, and is asked again before each admission.
    const open = await pipeline.open(facts);
    await open.close({ reason: "closed" });
  }
  await until(clock, () =>
    others.every((facts) => store.objects.has(`${objectPrefix(facts)}/manifest.json`)),
  );
  await Promise.all(others.map((facts) => state(facts.sessionId, "stored")));
  assert.match(pipeline.status().shipping.lastError ?? "", /no answer/);
  store.fault = () => {};
  await until(clock, () => store.objects.has(`${objectPrefix(stuck)}/manifest.json`));
  await state(stuck.sessionId, "stored");
});

test("a segment damaged on its way: the alarm, the session goes on, and the loss is stated and nothing else", async () => {
  const { pipeline, store, disk, clock, state, lines } = await started();
  const facts = newFacts();
  const writer = await pipeline.open(facts);
  await writer.append("output", 0, utf8("before"));
  store.fault = (call) => {
    if (call === "create") throw failure("unavailable", "down");
  };
  await writer.append("output", 0, new Uint8Array(9_000).fill(66));
  // Its first attempt came from memory; from now on it is read from the disk.
  await until(clock, () => pipeline.status().shipping.lastError !== undefined);
  const path = `/gate/spool/${facts.sessionId}/000000.seg`;
  disk.damage(path, (bytes) => {
    bytes[100] = (bytes[100] as number) ^ 1;
    return bytes;
  });
  store.fault = () => {};
  const alarm = state(facts.sessionId, "corrupt");
  await until(clock, () => lines.some((line) => line.message === "a recording is corrupt"));
  assert.match((await alarm).detail ?? "", /000000\.seg is damaged/);
  await writer.append("output", 0, utf8("after"));
  const closed = await writer.close({ reason: "closed" });
  await until(clock, () => store.objects.has(`${objectPrefix(facts)}/manifest.json`));
  await until(clock, () => pipeline.status().shipping.waitingSegments === 0);
  assert.equal(
    store.objects.has(`${objectPrefix(facts)}/000000.seg`),
    false,
    "damaged bytes are never shipped",
  );
  assert.deepEqual(await disk.list("/gate/damaged"), [`${facts.sessionId}-000000.seg`]);

  const { frames, verification } = await readBack(store, facts);
  assert.deepEqual(
    [verification.ok, verification.state, verification.headSha256],
    [true, "complete", closed.headSha256],
  );
  assert.deepEqual(verification.breaks, [
    {
      firstSeq: 0,
      lastSeq: 2,
      frames: 3,
      reason: "segment 0 is lost: it was damaged on the gateway before it was stored",
    },
  ]);
  assert.deepEqual(
    frames.map(({ kind, data }) => (kind === "output" ? fromUtf8(data) : kind)),
    ["after", "session.end"],
  );
});

for (const moment of ["before", "after"])
  test(`a loss is stated once when the gateway is killed ${moment} it is stated`, async () => {
    const { pipeline, store, disk, clock } = await started();
    const facts = newFacts();
    store.fault = (call) => {
      if (call === "create") throw failure("unavailable", "down");
    };
    const writer = await pipeline.open(facts);
    await writer.append("output", 0, new Uint8Array(9_000).fill(66));
    await until(clock, () => pipeline.status().shipping.lastError !== undefined);
    disk.damage(`/gate/spool/${facts.sessionId}/000000.seg`, (bytes) => bytes.fill(0xff, 50, 60));
    await writer.close({ reason: "closed" });
    store.fault = (call, key) => {
      if (call === "create" && key.endsWith("manifest.json")) throw failure("unavailable", "down");
    };
    await until(clock, () =>
      moment === "after"
        ? disk.paths().includes(`/gate/damaged/${facts.sessionId}-000000.seg`)
        : store.objects.has(`${objectPrefix(facts)}/000001.seg`),
    );
    store.fault = () => {};
    const image = disk.crash(() => 0.9);
    const next = testPipeline({ disk: image, store });
    assert.deepEqual(await next.pipeline.recover(), []);
    await until(next.clock, () => next.changes.at(-1)?.detail?.startsWith("segment 0 is lost") === true);
    assert.equal(next.pipeline.status().shipping.waitingSegments, 0);
    const { verification } = await readBack(store, facts);
    assert.deepEqual([verification.ok, verification.breaks.length], [true, 1]);
    assert.deepEqual(await image.list("/gate/damaged"), [`${facts.sessionId}-000000.seg`]);
  });

test("stored but not yet released when the power goes: the next start finds it there and finishes", async () => {
  for (const name of ["000000.seg", "manifest.json"]) {
    const { pipeline, store, disk } = await started();
    const facts = newFacts();
    const writer = await pipeline.open(facts);
    const reached = new Promise<void>((resolve) => {
      store.fault = (call, key) => {
        // After `create`, before the answer to `stat` lets the local file go.
        if (call !== "stat" || !key.endsWith(name)) return;
        resolve();
        return new Promise<void>(() => {});
      };
    });
    await writer.close({ reason: "closed" });
    await reached;
    const after = disk.crash(() => 0.9);
    store.fault = () => {};
    const next = testPipeline({ disk: after, store });
    assert.deepEqual(await next.pipeline.recover(), []);
    await next.state(facts.sessionId, "stored");
    assert.equal((await texts(store, facts)).state, "complete");
    await next.pipeline.stop({ deadlineMs: 1_000 });
    assert.deepEqual(
      after.paths().filter((path) => path.startsWith("/gate/spool/")),
      [],
    );
  }
});

test("sessions beyond the reserved room are refused, and admitted when one has ended", async () => {
  const { pipeline, state } = await started({ limits: { sessionReserveBytes: 100_000 } });
  const open: RecordingWriter[] = [];
  const error = await (async () => {
    for (;;) open.push(await pipeline.open(newFacts()));
  })().catch((reason: unknown) => reason);
  assert.ok(refused(/no room/)(error), String(error));
  assert.ok(open.length >= 3 && open.length <= 5, `${open.length} sessions`);
  const [first] = open as [RecordingWriter];
  await first.close({ reason: "closed" });
  await state(first.sessionId, "stored");
  open.push(await pipeline.open(newFacts()));
  assert.ok(pipeline.status().journal.reservedBytes > 290_000);
});

test("an interrupted recording is reported at every start until somebody has noted it", async () => {
  const { pipeline, store, disk } = await started();
  const facts = newFacts();
  const writer = await pipeline.open(facts);
  await writer.append("output", 0, utf8("seen"));
  let image = disk.crash(() => 0.9);
  for (let i = 0; i < 2; i++) {
    const next = testPipeline({ disk: image, store });
    const [recovered] = await next.pipeline.recover();
    assert.deepEqual(recovered?.facts, facts);
    assert.equal(recovered?.frames, 2);
    await next.state(facts.sessionId, "stored");
    image = image.crash(() => 0.9);
  }
  const last = testPipeline({ disk: image, store });
  assert.equal((await last.pipeline.recover()).length, 1);
  await last.pipeline.confirmRecovered(facts.sessionId);
  const after = testPipeline({ disk: image.crash(() => 0.1), store });
  assert.deepEqual(await after.pipeline.recover(), []);
  assert.deepEqual(await texts(store, facts), { kept: ["seen"], state: "interrupted" });
});

test("damage in the journal: named, in the manifest too, while other sessions lose nothing", async () => {
  const { pipeline, store, disk } = await started({ limits: { segmentAgeMs: 1_000_000 } });
  const [hit, spared] = [newFacts(), newFacts()];
  const writers = [await pipeline.open(hit), await pipeline.open(spared)] as const;
  await writers[0].append("output", 0, utf8("before"));
  const path = "/gate/journal/000001.journal";
  const at = Buffer.from(await disk.read(path)).lastIndexOf("GHG1") + 200;
  await writers[1].append("output", 0, utf8("one"));
  await writers[0].append("output", 0, utf8("after"));
  await writers[1].append("output", 0, utf8("two"));
  const image = disk.crash(() => 0.9);
  image.damage(path, (bytes) => {
    bytes[at - 140] = (bytes[at - 140] as number) ^ 4;
    return bytes;
  });
  const next = testPipeline({ disk: image, store });
  const recovered = await next.pipeline.recover();
  const damage = recovered.find((one) => one.facts.sessionId === hit.sessionId)?.damage ?? "";
  assert.match(damage, /^1 frames between sequence 0 and 2 are missing: the journal was damaged$/);
  assert.ok(next.lines.some((line) => line.level === "error" && /group \d+ is damaged/.test(line.message)));
  assert.equal((await image.list("/gate/damaged")).length, 1, "the damaged file is kept for a person");
  await next.state(spared.sessionId, "stored");
  const corrupt = await next.state(hit.sessionId, "corrupt");
  assert.equal(corrupt.detail, damage);
  assert.deepEqual(await texts(store, spared), { kept: ["one", "two"], state: "interrupted" });
  const { frames, verification } = await readBack(store, hit);
  // What is lost is stated under the signature, so that the rest verifies and nobody can claim that more was.
  assert.deepEqual([verification.ok, verification.findings], [true, []]);
  assert.deepEqual(verification.breaks, [{ firstSeq: 0, lastSeq: 2, frames: 1, reason: damage }]);
  assert.deepEqual(
    frames.map((frame) => frame.seq),
    [0, 2],
  );
});

test("a damaged ledger or manifest in the spool is named; the recording is kept and others go on", async () => {
  for (const name of ["ledger", "manifest.json"]) {
    const { pipeline, store, disk, clock } = await started();
    store.fault = (call) => {
      if (call === "create") throw failure("unavailable", "down");
    };
    const [hit, spared] = [newFacts(), newFacts()];
    for (const facts of [hit, spared]) {
      const writer = await pipeline.open(facts).catch(async () => {
        store.fault = () => {};
        return pipeline.open(facts);
      });
      await writer.append("output", 0, new Uint8Array(20_000));
      if (name === "manifest.json" || facts === spared) await writer.close({ reason: "closed" });
      else
        await until(clock, () =>
          disk.paths().some((path) => path.startsWith(`/gate/spool/${hit.sessionId}/0000`)),
        );
      store.fault = (call) => {
        if (call === "create") throw failure("unavailable", "down");
      };
    }
    const image = disk.crash(() => 0.9);
    store.fault = () => {};
    image.damage(`/gate/spool/${hit.sessionId}/${name}`, (bytes) => {
      bytes[20] = (bytes[20] as number) ^ 1;
      return bytes;
    });
    const next = testPipeline({ disk: image, store });
    await next.pipeline.recover();
    const change = await next.state(hit.sessionId, "corrupt");
    assert.match(change.detail ?? "", /damaged/);
    await next.state(spared.sessionId, "stored");
    assert.ok(image.paths().some((path) => path.startsWith(`/gate/spool/${hit.sessionId}/0000`)));
  }
});

test("close appends session.end where nobody did, happens once, and lets nothing follow", async () => {
  const { pipeline, store, state } = await started();
  const facts = newFacts();
  const writer = await pipeline.open(facts);
  const closing = writer.close({ reason: "terminated", detail: "by ada" });
  assert.equal(writer.close({ reason: "again" }), closing);
  await assert.rejects(writer.append("output", 0, utf8("late")), refused(/closed/));
  await closing;
  await state(facts.sessionId, "stored");
  const { frames } = await readBack(store, facts);
  assert.equal(fromUtf8(frames.at(-1)?.data as Uint8Array), '{"detail":"by ada","reason":"terminated"}');
});

test("stop waits for what is being shipped until the deadline; the next start ships the rest", async () => {
  const { pipeline, store, disk, clock } = await started();
  const facts = newFacts();
  const writer = await pipeline.open(facts);
  store.fault = (call) => {
    if (call === "create") throw failure("unavailable", "down");
  };
  await writer.close({ reason: "closed" });
  let stopped = false;
  const stopping = pipeline.stop({ deadlineMs: 300 }).then(() => {
    stopped = true;
  });
  await until(clock, () => stopped);
  await stopping;
  await assert.rejects(pipeline.open(newFacts()), refused(/stopping/));
  store.fault = () => {};
  const next = testPipeline({ disk, store });
  assert.deepEqual(await next.pipeline.recover(), []);
  await next.state(facts.sessionId, "stored");
  assert.equal((await texts(store, facts)).state, "complete");
});

test("a segment that neither the spool nor the store has is missed before a manifest says that all is there", async () => {
  const { pipeline, store, disk } = await started();
  const facts = newFacts();
  const writer = await pipeline.open(facts);
  await writer.append("output", 0, new Uint8Array(20_000));
  const prefix = objectPrefix(facts);
  store.fault = (call, key) => {
    if (call === "create" && key.endsWith("manifest.json")) throw failure("unavailable", "down");
  };
  await writer.close({ reason: "closed" });
  while (disk.paths().some((path) => path.startsWith("/gate/spool/") && path.endsWith(".seg"))) await tick();
  const lost = store.objects.get(`${prefix}/000000.seg`) as Uint8Array;
  store.objects.delete(`${prefix}/000000.seg`);
  store.fault = () => {};
  const next = testPipeline({ disk: disk.crash(() => 0.1), store });
  await next.pipeline.recover();
  const change = await next.state(facts.sessionId, "corrupt");
  assert.match(change.detail ?? "", /should have .*000000\.seg/);
  assert.equal(store.objects.has(`${prefix}/manifest.json`), false);
  store.objects.set(`${prefix}/000000.seg`, lost);
  await until(next.clock, () => store.objects.has(`${prefix}/manifest.json`));
  await next.state(facts.sessionId, "stored");
});

test("each object is kept for as long as the session's facts say, whatever the rest is", async () => {
  const sessionMsMax = 3_600_000;
  const { pipeline, store, clock, state } = await started({
    limits: { retentionMs: 7_000_000, sessionMsMax },
  });
  for (const retentionMs of [undefined, 90_000_000, 0]) {
    const facts = { ...newFacts(), ...(retentionMs !== undefined && { retentionMs }) };
    const writer = await pipeline.open(facts);
    await writer.append("output", 0, utf8("x"));
    await writer.close({ reason: "closed" });
    await state(facts.sessionId, "stored");
    const keep = retentionMs ?? 7_000_000;
    const prefix = objectPrefix(facts);
    const after = (name: string) => (store.retained.get(`${prefix}/${name}`) as number) - clock.nowMs();
    // The clock has moved on since they were sent, by no more than it takes to send them.
    const near = (found: number, expected: number) =>
      assert.ok(found <= expected && found > expected - 60_000, `${found} is not ${expected}`);
    near(after("manifest.json"), keep);
    // Sent before the session had ended, which may be as long as the longest.
    near(after("000000.seg"), keep === 0 ? 0 : keep + sessionMsMax);
  }
});

test("an object is locked by the store's clock, and not at all where the two are a day apart", async () => {
  const { pipeline, store, clock, disk, lines, state } = await started({
    limits: { retentionMs: 7_000_000 },
  });
  const record = async () => {
    const facts = newFacts();
    const writer = await pipeline.open(facts);
    await writer.append("output", 0, utf8("x"));
    await writer.close({ reason: "closed" });
    return facts;
  };
  for (const aheadMs of [3_600_000, -3_600_000]) {
    store.aheadMs = aheadMs;
    const facts = await record();
    await state(facts.sessionId, "stored");
    const untilMs = store.retained.get(`${objectPrefix(facts)}/manifest.json`) as number;
    const found = untilMs - clock.nowMs();
    const expected = 7_000_000 + aheadMs;
    // The clock has moved on since it was sent.
    assert.ok(found <= expected && found > expected - 60_000, `${found} is not ${expected}`);
  }
  store.aheadMs = 25 * 3_600_000;
  const facts = await record();
  await until(clock, () =>
    lines.some((line) => JSON.stringify(line).includes("25 hours ahead of this machine")),
  );
  assert.equal(store.objects.has(`${objectPrefix(facts)}/000000.seg`), false);
  assert.ok(disk.paths().some((path) => path.includes(facts.sessionId) && path.endsWith(".seg")));
  store.aheadMs = 0;
  await until(clock, () => store.objects.has(`${objectPrefix(facts)}/manifest.json`));
  await state(facts.sessionId, "stored");
});

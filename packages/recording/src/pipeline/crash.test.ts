import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { equalBytes, seededRandom } from "@gatehouse/kernel";
import type { FrameKind, SessionFacts } from "../frame.ts";
import type { RecordingWriter, RecoveredRecording } from "./door.ts";
import { newFacts, readBack, testPipeline } from "./testing/kit.ts";
import { MemoryDisk } from "./testing/memory-disk.ts";
import { MemoryStore } from "./testing/memory-store.ts";

type Session = {
  facts: SessionFacts;
  writer: RecordingWriter;
  appended: { kind: FrameKind; data: Uint8Array }[];
  /** How many of them, from the first, had been acknowledged when the power went. */
  acknowledged: number;
  /** `lost`: an append was refused, for want of room. */
  closed: "no" | "asked" | "yes" | "lost";
};

/** So little room that the journal's files are used again and again. */
const tightLimits = {
  journalCapacityBytes: 160 * 1024,
  journalFileBytes: 16 * 1024,
  groupBytesMax: 4 * 1024,
};

const kinds = ["output", "input", "stdout", "resize", "stdin"] as const;

/** Numbers in [0, 1) that a seed gives again. */
function chances(seed: number): () => number {
  const random = seededRandom(seed);
  return () => {
    const [a = 0, b = 0, c = 0] = random.bytes(3);
    return (a * 65_536 + b * 256 + c) / 16_777_216;
  };
}

/** Several sessions at once, until the power goes after so many bytes, or all is done. */
async function work(disk: MemoryDisk, store: MemoryStore, chance: () => number, steps: number) {
  const { pipeline, clock } = testPipeline({ disk, store, limits: tightLimits });
  const sessions: Session[] = [];
  const untilDeath = <T>(promise: Promise<T>) => Promise.race([promise, disk.died.then(() => undefined)]);
  await untilDeath(pipeline.recover());
  for (let step = 0; step < steps && !disk.dead; step++) {
    const what = chance();
    const open = sessions.filter((session) => session.closed === "no");
    const session = open[Math.floor(chance() * open.length)];
    if (!session || (what < 0.05 && open.length < 4)) {
      const facts = newFacts();
      const writer = await untilDeath(pipeline.open(facts).catch(() => undefined));
      if (writer) sessions.push({ facts, writer, appended: [], acknowledged: 0, closed: "no" });
    } else if (what < 0.8) {
      const kind = kinds[Math.floor(chance() * kinds.length)] as FrameKind;
      const data = seededRandom(Math.floor(chance() * 1e9)).bytes(Math.floor(chance() ** 4 * 6_000));
      const index = session.appended.push({ kind, data });
      // In order, and all of them: what is acknowledged is always a run from the first.
      const done = session.writer.append(kind, 0, data).then(
        () => {
          if (!disk.dead) session.acknowledged = Math.max(session.acknowledged, index);
        },
        () => {
          session.closed = "lost";
        },
      );
      if (chance() < 0.4) await untilDeath(done);
    } else if (what < 0.95) {
      clock.advance(Math.floor(chance() * 1500));
      if (chance() < 0.5) await new Promise((resolve) => setImmediate(resolve));
    } else {
      session.closed = "asked";
      const closing = session.writer.close({ reason: "closed" }).then(
        () => {
          if (!disk.dead) session.closed = "yes";
        },
        () => {
          session.closed = "lost";
        },
      );
      if (chance() < 0.5) await untilDeath(closing);
    }
  }
  return { sessions };
}

async function check(seed: number, deathBytes: number, steps: number): Promise<void> {
  const chance = chances(seed);
  const store = new MemoryStore();
  let disk = new MemoryDisk();
  disk.dieAfter(deathBytes);
  const { sessions } = await work(disk, store, chance, steps);
  disk = disk.crash(chance);
  // Recovery itself is cut short now and then, also right after it closed something.
  while (chance() < 0.4) {
    disk.dieAfter(Math.floor(chance() ** 2 * 100_000));
    const { pipeline } = testPipeline({ disk, store, limits: tightLimits });
    await Promise.race([pipeline.recover(), disk.died]);
    disk = disk.crash(chance);
  }
  const last = testPipeline({ disk, store, limits: tightLimits });
  const recovered = await last.pipeline.recover();
  const reported = new Map(recovered.map((one) => [one.facts.sessionId, one]));
  for (const session of sessions) await checkSession(session, store, last, reported);
  assert.deepEqual(
    last.lines.filter((line) => line.level === "error"),
    [],
  );
  assert.deepEqual(
    last.changes.filter((change) => change.state === "corrupt"),
    [],
  );
  await last.pipeline.stop({ deadlineMs: 60_000 });
  assert.deepEqual(
    disk.paths().filter((path) => path.startsWith("/gate/spool/")),
    [],
  );
}

async function checkSession(
  session: Session,
  store: MemoryStore,
  last: ReturnType<typeof testPipeline>,
  reported: ReadonlyMap<string, RecoveredRecording>,
): Promise<void> {
  const { sessionId } = session.facts;
  const onTheWay = last.changes.some((change) => change.sessionId === sessionId);
  if (onTheWay) await last.state(sessionId, "stored");
  const { frames, verification } = await readBack(store, session.facts);
  assert.deepEqual(verification.findings, []);
  const complete = verification.state === "complete";
  if (session.closed === "yes") assert.ok(complete, "a recording that was closed is complete");
  if (session.closed === "no") assert.ok(!complete, "nobody closed it");
  // One that was lost may have been closed by the pipeline itself, which is no news after a crash.
  if (session.closed !== "lost")
    assert.equal(reported.has(sessionId), !complete, "what a crash ended is reported");
  assert.equal(frames[0]?.kind, "session.start");
  const own = frames.slice(1, complete ? -1 : undefined).filter((frame) => frame.kind !== "session.end");
  assert.ok(own.length >= session.acknowledged, `${own.length} frames, ${session.acknowledged} acknowledged`);
  for (const [i, frame] of own.entries()) {
    const was = session.appended[i];
    assert.ok(was, "a frame that nobody appended");
    assert.equal(frame.kind, was.kind);
    assert.ok(equalBytes(frame.data, was.data), `frame ${frame.seq} has other bytes`);
  }
  assert.equal(reported.get(sessionId)?.frames ?? frames.length, frames.length);
}

test("whenever the power goes: every acknowledged frame is in the recording, and nothing else", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 2 ** 31 - 1 }),
      fc.integer({ min: 40_000, max: 1_500_000 }),
      fc.integer({ min: 5, max: 300 }),
      check,
    ),
    { numRuns: Number(process.env["CRASH_RUNS"] ?? 15), endOnFailure: true },
  );
});

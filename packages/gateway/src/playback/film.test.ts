import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes, utf8 } from "@gatehouse/kernel";
import {
  type Frame,
  encodeResize,
  encodeSessionEnd,
  encodeSessionStart,
  memorySource,
  openRecording,
} from "@gatehouse/recording";
import { openIndex } from "@gatehouse/recording/index";
import { buildIndex } from "@gatehouse/recording/indexing";
import { nodeSealCrypto, nodeZstd } from "@gatehouse/recording/node";
import { facts } from "../../../recording/src/testing/facts.ts";
import { playedTo, seenAt } from "../../../recording/src/testing/films.ts";
import { sampleRecording } from "../../../recording/src/testing/sample-recording.ts";
import { prepareFilm } from "./film.ts";

/** Ten minutes, a line a second, and a password that no echo showed. */
function longFrames(): Frame[] {
  const frames: Frame[] = [];
  const add = (kind: Frame["kind"], atMs: number, data: Uint8Array) =>
    frames.push({ seq: frames.length, timeUs: atMs * 1000, kind, stream: 0, data });
  add("session.start", 0, encodeSessionStart(facts));
  for (let i = 0; i < 600; i++) {
    add("output", i * 1000, utf8(`\u001b[${31 + (i % 6)}mline ${i} ${"of many ".repeat(i % 9)}\r\n`));
    add("input", i * 1000 + 1, utf8("hunter2\r"));
    if (i === 300) add("resize", i * 1000, encodeResize({ cols: 100, rows: 30 }));
  }
  add("session.end", 600_000, encodeSessionEnd({ reason: "client" }));
  return frames;
}

async function all(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const found: Uint8Array[] = [];
  for await (const chunk of chunks) found.push(chunk);
  return concatBytes(found);
}

async function stage() {
  const sample = await sampleRecording({ seed: 2, frames: longFrames(), perSegment: 100 });
  const recording = await openRecording({
    source: memorySource(sample.objects),
    openers: [sample.opener],
    zstd: nodeZstd,
  });
  const made = await buildIndex({
    facts: sample.facts,
    frames: recording.frames(),
    laneKey: sample.keys.main,
    headSha256: sample.manifest.headSha256,
    crypto: nodeSealCrypto,
  });
  const index = await openIndex({
    read: async (start, end) => made.subarray(start, end),
    recordingId: sample.facts.sessionId,
    deriveKey: recording.deriveKey,
    zstd: nodeZstd,
  });
  const gone = new AbortController();
  let read = 0;
  const film = (cut: Parameters<typeof prepareFilm>[0]["cut"], withIndex = true) =>
    prepareFilm({
      facts: sample.facts,
      cut,
      watermark: undefined,
      index: withIndex ? index : undefined,
      async *frames(window) {
        for await (const frame of recording.frames(window)) {
          read++;
          yield frame;
        }
      },
      signal: gone.signal,
    });
  return { film, frames: sample.frames, gone, read: () => read };
}

test("the moment in the middle is the same whether it was played to or taken from the index, and reads no more than it needs", async () => {
  const { film, frames, read } = await stage();
  const cut = { fromUs: 400_000_000, toUs: 420_000_000, speed: 2 };
  const slow = await all((await film(cut, false))());
  const readFromStart = read();
  const chunks = await film(cut);
  const quick = await all(chunks());
  assert.ok(Buffer.from(slow).equals(quick));
  assert.ok(
    read() - readFromStart < readFromStart / 5,
    `${read() - readFromStart} of ${readFromStart} frames`,
  );
  assert.ok(Buffer.from(await all(chunks())).equals(quick), "and the same once more");

  const pace = { fromUs: cut.fromUs, speed: 2, idleMaxUs: 2_000_000 };
  const momentsCs = [0, 260, 700, 1000];
  const played = playedTo(
    frames.filter(({ timeUs }) => timeUs < cut.toUs),
    momentsCs,
    { cols: 100, rows: 30, pace },
  );
  for (const seen of seenAt(quick, momentsCs))
    assert.ok(Buffer.from((await played.next()).value as Uint8Array).equals(seen));
  await played.return(undefined);
});

test("it is pulled: nothing is read ahead of who reads slowly, and nothing after they have gone", async () => {
  const { film, gone, read } = await stage();
  const chunks = (await film({ speed: 64 }))()[Symbol.asyncIterator]();
  const surveyed = read();
  assert.equal((await chunks.next()).done, false);
  const begun = read() - surveyed;
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(read() - surveyed, begun);
  gone.abort();
  assert.equal((await chunks.next()).done, true);
});

test("no more are made at once than are allowed, and one that was left makes room", async () => {
  const { film } = await stage();
  const chunks = await film({ toUs: 5_000_000 });
  const open = [];
  for (;;) {
    const one = chunks()[Symbol.asyncIterator]();
    const begun = await one.next().catch((error: unknown) => error as { code: string; hint: string });
    if ("code" in begun) {
      assert.deepEqual([begun.code, begun.hint], ["unavailable", "Try again in a moment."]);
      break;
    }
    open.push(one);
  }
  assert.equal(open.length, 8);
  await open.pop()?.return?.();
  assert.ok((await all(chunks())).length > 1000);
  for (const one of open) await one.return?.();
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { GatehouseError, utf8 } from "@gatehouse/kernel";
import type { Client } from "./client.ts";
import { type WireFrame, liveNowKind } from "./rest/mod.ts";
import { watchSession } from "./watch-session.ts";

const frame = (seq: number): WireFrame => ({
  seq,
  timeUs: seq,
  kind: "output",
  stream: 0,
  data: utf8(`${seq}`),
});
const now: WireFrame = {
  seq: 0,
  timeUs: 9,
  kind: liveNowKind,
  stream: 0,
  data: utf8('{"elapsedUs":9,"behindUs":0,"resynced":false}'),
};
const error = (code: "unavailable" | "corrupt" | "denied" | "conflict", op = "test") =>
  new GatehouseError({ code, op, message: code });

/** A gateway whose streams go as they are told to: frames, and then an end or an error. */
function stand(streams: (WireFrame | Error)[][]) {
  const asked: number[] = [];
  const waits: number[] = [];
  const watch = async function* (_id: string, { fromSeq = 0 }: { fromSeq?: number } = {}) {
    asked.push(fromSeq);
    for (const one of streams.shift() ?? [error("unavailable")]) {
      if (one instanceof Error) throw one;
      yield one;
    }
  };
  const gone = new AbortController();
  const all = watchSession({
    client: { sessions: { watch } } as unknown as Pick<Client, "sessions">,
    sessionId: "s",
    signal: gone.signal,
    wait: async (ms) => void waits.push(ms),
  });
  const seen: string[] = [];
  const run = async () => {
    for await (const one of all) seen.push(one.what === "frame" ? `${one.frame.seq}` : one.what);
  };
  return { asked, waits, seen, run, gone };
}

test("a session is watched to its end, each frame once, however often the connection breaks", async () => {
  const cut = error("corrupt", "frame-stream.read");
  const watched = stand([
    [frame(0), now, frame(1), cut],
    [error("unavailable")],
    // One that was sent already is not shown again.
    [frame(1), frame(2), cut],
    [frame(3)],
  ]);
  await watched.run();
  assert.deepEqual(watched.seen, ["0", "now", "1", "lost", "lost", "2", "lost", "3"]);
  assert.deepEqual(watched.asked, [0, 2, 2, 3]);
});

test("it is given up when it will not come back, and at once when one may not", async () => {
  const away = stand([[frame(0), error("unavailable")]]);
  await assert.rejects(away.run(), { code: "unavailable" });
  assert.equal(away.asked.length, 7);
  assert.ok(away.waits.every((ms, i) => i === 0 || ms >= (away.waits[i - 1] ?? 0)));

  const refused = stand([[frame(0), error("denied")]]);
  await assert.rejects(refused.run(), { code: "denied" });
  assert.deepEqual(refused.seen, ["0"]);

  const ended = stand([[frame(0), error("unavailable")], [error("conflict")]]);
  await assert.rejects(ended.run(), { message: /has ended meanwhile/ });
});

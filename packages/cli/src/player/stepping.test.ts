import assert from "node:assert/strict";
import { test } from "node:test";
import { TestClock, utf8 } from "@gatehouse/kernel";
import {
  encodeFileOperation,
  encodeForwardClose,
  encodeForwardOpen,
  encodeQuery,
  encodeQueryOutcome,
} from "@gatehouse/recording";
import type { Key } from "./keys.ts";
import type { PlayFrame, PlayKeyframe, PlaySource } from "./play-source.ts";
import { play } from "./play.ts";
import type { Screen } from "./screen.ts";

type Given = readonly [timeUs: number, kind: string, data: Uint8Array];

/** A player that somebody steps through, and the rows that are there after each step. */
function stage(track: string, given: readonly Given[], keyframes: readonly PlayKeyframe[] = []) {
  const clock = new TestClock();
  const frames = given.map(([timeUs, kind, data], seq): PlayFrame => ({
    seq,
    timeUs,
    kind,
    stream: 1,
    data,
  }));
  const source: PlaySource = {
    title: "test",
    track,
    size: { cols: 60, rows: 8 },
    durationUs: frames.at(-1)?.timeUs,
    async *frames(fromUs = 0) {
      yield* frames.filter(({ timeUs }) => timeUs >= fromUs);
    },
    keyframeAt: async (timeUs) => keyframes.findLast((one) => one.timeUs <= timeUs),
  };
  let press: (key: Key) => void = () => undefined;
  let drawn: (place: string) => void = () => undefined;
  const rowsOf = (screen: Screen) =>
    Array.from({ length: screen.rows }, (_, row) => screen.text(row)).filter((text) => text !== "");
  const playing = play({
    source,
    clock,
    speed: 1,
    speeds: [1],
    skipIdle: false,
    interactive: true,
    signal: new AbortController().signal,
    suspend: () => undefined,
    onResize: () => undefined,
    onKey: (listener) => (press = listener),
    viewport: {
      rows: 20,
      forget: () => undefined,
      close: () => undefined,
      draw: (screen, status) => drawn(`${/\d+:\d\d/.exec(status ?? "")?.[0]} ${rowsOf(screen).join("/")}`),
    },
  });
  return {
    async step(by: 1 | -1): Promise<string> {
      const { promise, resolve } = Promise.withResolvers<string>();
      drawn = resolve;
      press({ act: "step", by });
      return await promise;
    },
    async quit() {
      press({ act: "quit" });
      await playing;
    },
  };
}

const s = 1_000_000;

test("files and connections are stepped through by what came of them", async () => {
  const file = (phase: "request" | "result", operation: number, path: string) =>
    encodeFileOperation({
      protocol: "sftp",
      operation,
      phase,
      op: "remove",
      path,
      ...(phase === "result" && { result: { code: 0, message: "" } }),
    } as Parameters<typeof encodeFileOperation>[0]);
  const files = stage("files", [
    [0, "session.start", utf8("{}")],
    [1 * s, "file", file("request", 1, "/a")],
    [2 * s, "file", file("result", 1, "/a")],
    [3 * s, "file", file("request", 2, "/b")],
    [70 * s, "file", file("result", 2, "/b")],
  ]);
  const a = "sftp remove /a: ok";
  assert.equal(await files.step(1), `0:02 ${a}`);
  assert.equal(await files.step(1), `1:10 ${a}/sftp remove /b: ok`);
  assert.equal(await files.step(-1), `0:02 ${a}`);
  assert.equal(await files.step(-1), "0:00 ");
  await files.quit();

  const forwards = stage("forwards", [
    [4 * s, "forward.open", encodeForwardOpen({ direction: "local", host: "db", port: 5432 })],
    [9 * s, "forward.close", encodeForwardClose({ bytesIn: 1, bytesOut: 2 })],
  ]);
  assert.equal(await forwards.step(1), "0:04 [forward 1: local db:5432]");
  assert.match(await forwards.step(1), /^0:09 .*closed, 1 bytes in, 2 bytes out/);
  await forwards.quit();
});

test("statements are told with their outcome, and stepped through", async () => {
  const query = stage("query", [
    [1 * s, "query", encodeQuery({ statement: 1, type: "simple", text: "select 1" })],
    [
      2 * s,
      "query.outcome",
      encodeQueryOutcome({
        statement: 1,
        durationUs: s,
        final: true,
        results: [{ tag: "SELECT 1", rows: 1 }],
      }),
    ],
    [5 * s, "query", encodeQuery({ statement: 2, type: "simple", text: "drop table t" })],
  ]);
  const first = "0:01  select 1 -> SELECT 1, 1000.0 ms";
  assert.equal(await query.step(1), `0:02 ${first}`);
  assert.equal(await query.step(1), `0:05 ${first}/0:05  drop table t -> no outcome`);
  assert.equal(await query.step(-1), `0:02 ${first}`);
  await query.quit();
});

test("output is stepped through also across what an index kept, where several frames share a moment", async () => {
  const given: Given[] = Array.from({ length: 20 }, (_, i) => [
    Math.floor(i / 2) * 10 * s,
    i % 2 === 0 ? "stdout" : "stderr",
    utf8(i % 2 === 0 ? `${i / 2}` : "."),
  ]);
  // Each holds what was shown before its frame.
  const keyframes = [4, 8, 12, 16].map((seq) => ({
    timeUs: (seq / 2) * 10 * s,
    seq,
    cols: 60,
    rows: 8,
    state: Array.from({ length: seq / 2 }, (_, i) => `${i}.`).join(""),
  }));
  const exec = stage("exec", given, keyframes);
  const shown = (n: number) =>
    `${n === 0 ? "0:00" : formatted(n * 10)} ${Array.from({ length: n + 1 }, (_, i) => `${i}.`).join("")}`;
  for (let n = 0; n < 10; n++) assert.equal(await exec.step(1), shown(n));
  for (let n = 8; n >= 0; n--) assert.equal(await exec.step(-1), shown(n));
  await exec.quit();
});

function formatted(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

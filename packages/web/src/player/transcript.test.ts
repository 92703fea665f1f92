import assert from "node:assert/strict";
import { test } from "node:test";
import type { WireFrame } from "@gatehouse/contracts/rest";
import { utf8 } from "@gatehouse/kernel";
import fc from "fast-check";
import { findIn, transcriptOf } from "./transcript.ts";

const output = (timeUs: number, data: Uint8Array | string): WireFrame => ({
  seq: timeUs,
  timeUs,
  kind: "output",
  stream: 0,
  data: typeof data === "string" ? utf8(data) : data,
});
const session =
  "\u001b]0;title\u0007\u001b[1mroot@web\u001b[0m# lss\b\u001b[K -la\r\ntotal 48\r\n50%\r100%\r\n" +
  "root@web# top\r\n\u001b[?1049h\u001b[2J\u001b[1;1Hload average: 3\u001b[2;1Htasks\u001b[?1049l" +
  "gr\u00fcn \u{1f642}\r\nroot@web# ";

test("lines are as they stood when they were left, each at the moment when the last of it was shown", () => {
  const lines = transcriptOf([output(1, "root# l"), output(5, "s\r\nfile\r\n"), output(9, "root# ")]);
  assert.deepEqual(lines, [
    { timeUs: 5, text: "root# ls", isDrawn: false },
    { timeUs: 5, text: "file", isDrawn: false },
    { timeUs: 9, text: "root#", isDrawn: false },
  ]);
  assert.deepEqual(
    transcriptOf([output(1, session)]).map(({ text, isDrawn }) => (isDrawn ? `[${text}]` : text)),
    [
      "root@web# ls -la",
      "total 48",
      "100%",
      "root@web# top",
      "[load average: 3]",
      "[tasks]",
      "gr\u00fcn \u{1f642}",
      "root@web#",
    ],
  );
});

test("however the bytes were cut, the lines outside full-screen programs are the same", () => {
  const bytes = utf8(session);
  const plain = (frames: WireFrame[]) =>
    transcriptOf(frames)
      .filter(({ isDrawn }) => !isDrawn)
      .map(({ text }) => text);
  const whole = plain([output(1, bytes)]);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 40 }), (cuts) => {
      const frames: WireFrame[] = [];
      let at = 0;
      for (const cut of cuts) frames.push(output(1, bytes.subarray(at, (at += cut))));
      frames.push(output(1, bytes.subarray(at)));
      assert.deepEqual(plain(frames), whole);
    }),
  );
});

test("words are found in any case; what a program draws again and again counts once", () => {
  const drawn = (timeUs: number) => ({ timeUs, text: "Load average", isDrawn: true });
  const lines = [drawn(1), drawn(2), { timeUs: 3, text: "uptime: load 2", isDrawn: false }, drawn(4)];
  assert.deepEqual(
    findIn(lines, " LOAD").map(({ timeUs }) => timeUs),
    [1, 3, 4],
  );
  assert.deepEqual(findIn(lines, "  "), []);
});

test("what a terminal was told can be anything, and the transcript neither hangs nor throws", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 20 }), (chunks) => {
      transcriptOf(chunks.map((chunk, i) => output(i, chunk)));
    }),
  );
});

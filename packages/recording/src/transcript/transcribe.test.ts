import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { utf8 } from "@gatehouse/kernel";
import { encodeFileOperation, encodeResize } from "../mod.ts";
import { type ShownFrame, transcribe } from "./mod.ts";

const size = { cols: 20, rows: 4 };
const output = (text: string): ShownFrame => ({ kind: "output", stream: 0, data: utf8(text) });

async function linesOf(...frames: ShownFrame[]): Promise<string[]> {
  const lines: string[] = [];
  const all = async function* () {
    yield* frames;
  };
  for await (const line of transcribe(all(), size)) lines.push(line);
  return lines;
}

test("every line is there once, whether it scrolled off or is still on the screen", async () => {
  const said = Array.from({ length: 30_000 }, (_, i) => `line ${i}`);
  assert.deepEqual(await linesOf(output(said.join("\r\n"))), said);
});

test("however the bytes are cut", async () => {
  const text = "\u001b[1mgr\u00fcn\u001b[0m\r\n$ sl\b\bls\u001b[K\r\na  b\r\n".repeat(20);
  const whole = await linesOf(output(text));
  assert.deepEqual(whole.slice(0, 3), ["gr\u00fcn", "$ ls", "a  b"]);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 30 }), async (cuts) => {
      const bytes = utf8(text);
      const frames: ShownFrame[] = [];
      let at = 0;
      for (const cut of cuts)
        frames.push({ kind: "output", stream: 0, data: bytes.subarray(at, (at += cut)) });
      frames.push({ kind: "output", stream: 0, data: bytes.subarray(at) });
      assert.deepEqual(await linesOf(...frames), whole);
    }),
    { numRuns: 50 },
  );
});

test("a line longer than the screen is one line", async () => {
  const long = "0123456789".repeat(5);
  assert.deepEqual(await linesOf(output(`${long}\r\nnext\r\n1\r\n2\r\n3`)), [long, "next", "1", "2", "3"]);
});

test("what is cleared away was shown", async () => {
  for (const clear of ["\u001b[H\u001b[2J", "\u001b[H\u001b[2J\u001b[3J", "\u001b[H\u001b[J", "\u001bc"])
    assert.deepEqual(await linesOf(output(`secret\r\nplan${clear}after`)), ["secret", "plan", "after"]);
});

test("a program that goes to a column finds it where it counted emoji as two cells, as the terminals of people do", async () => {
  // Vim and the shell's line editor move like this; a joined pair is two emoji to them, a variation selector nothing.
  assert.deepEqual(await linesOf(output("🎉x\u001b[1;3Hy")), ["🎉y"]);
  assert.deepEqual(await linesOf(output("👩‍💻x\u001b[1;5Hy")), ["👩‍💻y"]);
  assert.deepEqual(await linesOf(output("✔\ufe0fx\u001b[1;2Hy")), ["✔\ufe0fy"]);
});

test("more lines than fit that scroll off with a few bytes are all there", async () => {
  const lines = await linesOf(output(`first\r\n${"\u001bD".repeat(20_000)}a\u001b[40000b`));
  assert.equal(lines[0], "first");
  assert.equal(lines.join("").replace("first", ""), "a".repeat(40_001));
});

test("a full-screen program leaves its last screen, and the shell's goes on", async () => {
  const frames = [output("$ vi\r\n\u001b[?1049h\u001b[Hmy file\r\n~"), output("\u001b[?1049l$ exit")];
  assert.deepEqual(await linesOf(...frames), ["my file", "~", "$ vi", "$ exit"]);
});

test("a new width neither repeats nor loses a line", async () => {
  const resize: ShownFrame = { kind: "resize", stream: 0, data: encodeResize({ cols: 40, rows: 4 }) };
  const text = (from: number) => Array.from({ length: 10 }, (_, i) => `${from + i}\r\n`).join("");
  assert.deepEqual(
    await linesOf(output(text(0)), resize, output(text(10))),
    Array.from({ length: 20 }, (_, i) => String(i)),
  );
});

test("a file operation is a line, and no name in it can write another", async () => {
  const data = encodeFileOperation({
    op: "remove",
    protocol: "sftp",
    path: "/tmp/a\r\nb",
    operation: 1,
    phase: "result",
    result: { code: 0, message: "" },
  });
  const lines: string[] = [];
  const frames = async function* () {
    yield { kind: "file", stream: 0, data };
  };
  for await (const line of transcribe(frames(), { cols: 80, rows: 4 })) lines.push(line);
  assert.deepEqual(lines, ["sftp remove /tmp/a\ufffd\ufffdb: ok"]);
});

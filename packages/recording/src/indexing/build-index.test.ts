import assert from "node:assert/strict";
import { test } from "node:test";
import { utf8 } from "@gatehouse/kernel";
import type { Frame } from "../frame.ts";
import { type RecordingIndex, openIndex } from "../index/mod.ts";
import { encodeResize, encodeSessionEnd, encodeSessionStart, openRecording } from "../mod.ts";
import { memorySource } from "../source.ts";
import { nodeSealCrypto, nodeZstd } from "../node/mod.ts";
import { facts } from "../testing/facts.ts";
import { sampleRecording } from "../testing/sample-recording.ts";
import { buildIndex } from "./mod.ts";

type Said = string | Uint8Array | { cols: number; rows: number };

/** A session that says each of these, so many milliseconds apart. */
function framesOf(said: readonly (readonly [atMs: number, what: Said])[]): Frame[] {
  const frames: Frame[] = [];
  const add = (kind: Frame["kind"], timeUs: number, data: Uint8Array) =>
    frames.push({ seq: frames.length, timeUs, kind, stream: 0, data });
  add("session.start", 0, encodeSessionStart(facts));
  for (const [atMs, what] of said) {
    if (typeof what === "string") add("output", atMs * 1000, utf8(what));
    else if (what instanceof Uint8Array) add("output", atMs * 1000, what);
    else add("resize", atMs * 1000, encodeResize(what));
  }
  add("session.end", (said.at(-1)?.[0] ?? 0) * 1000 + 1, encodeSessionEnd({ reason: "client" }));
  return frames;
}

async function indexed(frames: readonly Frame[], size = facts.size) {
  const sample = await sampleRecording({ seed: 1, frames });
  const recording = await openRecording({
    source: memorySource(sample.objects),
    openers: [sample.opener],
    zstd: nodeZstd,
  });
  const bytes = await buildIndex({
    facts: { ...sample.facts, ...(size && { size }) },
    frames: recording.frames(),
    laneKey: sample.keys.main,
    headSha256: sample.manifest.headSha256,
    crypto: nodeSealCrypto,
  });
  const reads: number[] = [];
  const open = (given: Uint8Array = bytes) =>
    openIndex({
      read: async (start, end) => {
        reads.push(end - start);
        return given.subarray(start, end);
      },
      recordingId: sample.facts.sessionId,
      deriveKey: recording.deriveKey,
      zstd: nodeZstd,
    });
  return { bytes, reads, open, index: await open(), sample };
}

async function linesOf(index: RecordingIndex): Promise<[fromMs: number, toMs: number, text: string][]> {
  const lines: [number, number, string][] = [];
  for await (const { fromUs, toUs, text } of index.lines()) lines.push([fromUs / 1000, toUs / 1000, text]);
  return lines.sort((a, b) => a[0] - b[0]);
}

test("a line has the moment from which it stood there, and the one at which it was last seen", async () => {
  const scrolling = Array.from({ length: 40 }, (_, i) => `row ${i}\r\n`).join("");
  const { index } = await indexed(
    framesOf([
      [100, "$ l"],
      [900, "s"],
      [1500, "\r\nfile\r\n$ "],
      [4000, scrolling],
      [9000, "done"],
    ]),
  );
  const lines = await linesOf(index);
  assert.deepEqual(lines.slice(0, 3), [
    [900, 4000, "$ ls"],
    [1500, 4000, "file"],
    [4000, 4000, "$ row 0"],
  ]);
  assert.deepEqual(lines.at(-1), [9000, 9000, "done"]);
  assert.equal(index.directory.durationUs, 9_000_001);
  assert.equal(index.headSha256.length, 64);
});

test("a line that scrolls by before anybody looks has a moment at which it can be read", async () => {
  const { index } = await indexed(
    framesOf(
      Array.from({ length: 12 }, (_, i) => {
        const lines = Array.from({ length: 10 }, (__, n) => `line ${i * 10 + n}\r\n`).join("");
        return [1000 + i * 60, lines] as const;
      }),
    ),
  );
  const from = new Map((await linesOf(index)).map(([fromMs, , text]) => [text, fromMs]));
  // Of 24 rows: the line came with the fourth frame, and the sixth took it away.
  const at = from.get("line 33") ?? 0;
  assert.ok(at >= 1180 && at < 1300, `at ${at}`);
});

test("a page that goes before anybody looks has the moment at which it was drawn", async () => {
  const { index } = await indexed(
    framesOf([
      [0, "$ less\r\n"],
      [100, "\u001b[?1049h\u001b[H\u001b[2Jlast page\r\n"],
      [130, "\u001b[?1049l$ clear"],
      [140, "\r\n\u001b[H\u001b[2J$ "],
    ]),
  );
  assert.deepEqual(await linesOf(index), [
    [100, 130, "last page"],
    [130, 140, "$ less"],
    [130, 140, "$ clear"],
    [140, 140, "$ "],
  ]);
});

test("a line that is cut at the edge of the screen goes on with the next character, however much was shown before", async () => {
  const lines = Array.from({ length: 100 }, (_, i) => `${i}\r\n`).join("");
  const edge = "w".repeat(80);
  const rounds = Array.from({ length: 30 }, (_, n) => n);
  const { index } = await indexed(
    framesOf(
      rounds.flatMap((n) => [
        [n * 1000, `${n === 20 ? "\u001b[3J" : ""}${lines}${edge}`] as const,
        [n * 1000 + 500, `orld ${n}\r\n`] as const,
      ]),
    ),
  );
  const texts = (await linesOf(index)).map(([, , text]) => text);
  assert.deepEqual(
    texts.filter((text) => text.startsWith("w")),
    rounds.map((n) => `${edge}orld ${n}`),
  );
  assert.equal(texts.filter((text) => text === "99").length, rounds.length);
});

test("what a full-screen program draws over is found, also where it never scrolled", async () => {
  const { index } = await indexed(
    framesOf([
      [0, "$ vi\r\n"],
      [500, "\u001b[?1049h\u001b[H\u001b[2Jfirst page\r\n~"],
      [1000, "\u001b[H\u001b[2Jsecond page\r\n~"],
      [1500, "\u001b[?1049l$ exit"],
    ]),
  );
  assert.deepEqual(await linesOf(index), [
    [0, 1500, "$ vi"],
    [500, 500, "first page"],
    [500, 1000, "~"],
    [1000, 1000, "second page"],
    [1500, 1500, "$ exit"],
  ]);
});

test("a keyframe is read alone, and the text is read without keyframes", async () => {
  const block = `${"\u001b[31mred \u001b[0m".repeat(200)}\r\n`;
  const { index, reads, bytes } = await indexed(
    framesOf(Array.from({ length: 300 }, (_, i) => [i * 1000, `${i} ${block}`] as const)),
  );
  const { keyframes } = index.directory;
  assert.ok(keyframes.timeUs.length > 20, `${keyframes.timeUs.length} keyframes`);
  reads.length = 0;
  const keyframe = await index.keyframeAt(150_500_000);
  assert.ok(keyframe && keyframe.timeUs <= 150_500_000 && keyframe.timeUs > 140_000_000);
  assert.equal(reads.length, 1);
  assert.ok((reads[0] ?? 0) < 4096);
  assert.match(keyframe.state, /red/);
  assert.equal(await index.keyframeAt(0), undefined);
  reads.length = 0;
  let lines = 0;
  for await (const _ of index.lines()) lines++;
  assert.ok(lines >= 300);
  const textBytes = index.directory.text.reduce((sum, entry) => sum + entry.bytes, 0);
  assert.equal(
    reads.reduce((sum, read) => sum + read, 0),
    textBytes,
  );
  let pictures = 0;
  for await (const picture of index.pictures()) {
    assert.equal(picture.cells.length, picture.cols * picture.rows);
    pictures++;
  }
  assert.equal(pictures, keyframes.timeUs.length);
  assert.ok(bytes.length < 200_000);
});

test("whoever asked for a terminal of 0 by 0, having none, is shown one of the usual size", async () => {
  const frames = framesOf(
    Array.from({ length: 60 }, (_, i) => [i * 1000, `line ${i}\r\n`.repeat(200)] as const),
  );
  const { index } = await indexed(frames, { cols: 0, rows: 0 });
  const keyframe = await index.keyframeAt(60_000_000);
  assert.deepEqual([keyframe?.cols, keyframe?.rows], [80, 24]);
});

test("what happened beside the output is told of, and nothing that was typed is in it", async () => {
  const frames = framesOf([
    [0, "password: "],
    [5000, { cols: 100, rows: 30 }],
  ]);
  frames.splice(2, 0, { seq: 2, timeUs: 1, kind: "input", stream: 0, data: utf8("hunter2\r") });
  const { index, bytes } = await indexed(frames.map((frame, seq) => Object.assign(frame, { seq })));
  const events = [];
  for await (const event of index.events()) events.push([event.timeUs, event.kind, event.source]);
  assert.deepEqual(events, [
    [5_000_000, "resize", "recorded"],
    [5_000_001, "session.end", "recorded"],
  ]);
  assert.deepEqual(index.directory.idle, [1, 5_000_000]);
  assert.ok(!Buffer.from(bytes).includes("password"), "it is encrypted");
  for await (const { text } of index.lines()) assert.ok(!text.includes("hunter2"));
});

test("a line that was run is told by the shell, or guessed from what was echoed; what was not echoed is nowhere", async () => {
  const typed = (atMs: number, text: string) => [atMs, { kind: "input", text }] as const;
  const notice = (atMs: number, text: string) => [atMs, { kind: "notice", text }] as const;
  type Other = ReturnType<typeof typed | typeof notice>[1];
  const commandsOf = async (said: readonly (readonly [number, Said | Other])[]) => {
    const isOther = (what: Said | Other | undefined): what is Other =>
      typeof what === "object" && "kind" in what;
    const frames = framesOf(said.map(([atMs, what]) => [atMs, isOther(what) ? "" : what] as const)).map(
      (frame, i) => {
        const what = said[i - 1]?.[1];
        return isOther(what) ? Object.assign(frame, { kind: what.kind, data: utf8(what.text) }) : frame;
      },
    );
    const events: [number, string, string][] = [];
    for await (const { timeUs, kind, text, source } of (await indexed(frames)).index.events())
      if (kind === "command") events.push([timeUs / 1000, text, source]);
    return events;
  };
  assert.deepEqual(
    await commandsOf([
      [0, "root@web:~# "],
      typed(100, "l"),
      [110, "l"],
      typed(200, "\u001b[A"),
      // The shell takes the line back and shows one of before, which goes over the edge.
      [210, `\b\u001b[Krm -rf ${"x".repeat(90)}`],
      typed(900, "\r"),
      [910, "\r\nnot a command\r\nPassword: "],
      typed(1000, "hunter2\r"),
      [1100, "\r\nroot@web:~# "],
      typed(1200, "sleep 9\r"),
      [1210, "sleep 9\r\n"],
      typed(1300, "\u0003"),
      [1310, "^C\r\nroot@web:~# "],
      typed(1400, "vi\r"),
      [1410, "vi\r\n\u001b[?1049h\u001b[2J"],
      typed(1500, "idle words\r"),
      [1510, "idle words\r\n"],
    ]),
    [
      [900, `rm -rf ${"x".repeat(90)}`, "guessed"],
      [1200, "sleep 9", "guessed"],
      [1400, "vi", "guessed"],
    ],
  );
  assert.deepEqual(
    await commandsOf([
      [0, "$ "],
      typed(100, "read -s x\r"),
      [110, "read -s x\r\n"],
      // What a program says where nothing was echoed is no command; nor is a line that Enter alone ended.
      typed(200, "hunter2"),
      typed(210, "\r"),
      [220, "denied\r\nmore? "],
      typed(300, "\r"),
      [310, "yes\r\n$ "],
      // The gate's own words stand in the middle of a line, and after Enter.
      typed(400, "echo h"),
      [410, "echo h"],
      notice(500, "\r\ngatehouse: eve has paused your input.\r\n"),
      notice(600, "\r\ngatehouse: your input passes again.\r\n"),
      typed(700, "alx\u007ff\r"),
      notice(705, "\r\ngatehouse: eve looks on.\r\n"),
      [710, "alx\b\u001b[Kf\r\nhalf\r\n$ "],
    ]),
    [
      [100, "read -s x", "guessed"],
      [700, "echo half", "guessed"],
    ],
  );
  assert.deepEqual(
    await commandsOf([
      [0, "\u001b]133;A\u0007% \u001b]133;B\u0007"],
      typed(100, "for i in 1\r"),
      [110, "for i in 1\r\n> "],
      typed(200, "do ls; done\r"),
      [210, "do ls; done\r\n\u001b]133;C\u0007a  b\r\n\u001b]133;D;0\u0007"],
    ]),
    [[210, "for i in 1\n> do ls; done", "shell"]],
  );
});

test("an index that was altered, or is another recording's, does not open", async () => {
  const { bytes, open } = await indexed(
    framesOf([
      [0, "hello"],
      [6000, "x".repeat(3000)],
      [12_000, "end"],
    ]),
  );
  const altered = (at: number) => {
    const copy = bytes.slice();
    copy[at] = (copy[at] ?? 0) ^ 1;
    return copy;
  };
  for (const at of [0, 5, 10, 30, 60, 100])
    await assert.rejects(open(altered(at)), { name: "GatehouseError" });
  const keyframeEnd = bytes.length - 1;
  const late = await open(altered(keyframeEnd));
  await assert.rejects(
    (async () => {
      for await (const _ of late.events());
    })(),
    { code: "corrupt" },
  );
  await assert.rejects(open(bytes.subarray(0, 50)), { code: "protocol" });
});

test("lines come with their numbers from any of them on, without the blocks that do not hold what is asked for", async () => {
  const { index } = await indexed(
    framesOf(
      Array.from(
        { length: 3_000 },
        (_, i) => [i * 997, `${i} grün ${"w".repeat(100 + (i % 70))}\r\n`] as const,
      ),
    ),
  );
  assert.ok(index.directory.text.length > 2, `${index.directory.text.length} blocks`);
  const all = await Array.fromAsync(index.lines());
  for (const from of [1, all.length >> 1, all.length - 1, all.length])
    assert.deepEqual(
      await Array.fromAsync(index.numberedLines(from)),
      all.map((line, n) => ({ n, ...line })).slice(from),
    );
  const texts: string[] = [];
  const held = index.numberedLines(0, (text) => texts.push(text) > 0 && text.includes("4003 gr"));
  assert.deepEqual(await Array.fromAsync(held), []);
  // Nothing but the lines, each by itself.
  assert.deepEqual(
    texts.join("\n").split(/\n+/).filter(Boolean),
    all.map(({ text }) => text),
  );
  const found = await Array.fromAsync(index.numberedLines(0, (text) => text.includes("1503 gr")));
  assert.ok(found.length < all.length && found.some(({ text }) => text.startsWith("1503 grün")));
});

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { type Random, seededRandom, utf8 } from "@gatehouse/kernel";
import { type Frame, encodeResize, encodeSessionEnd, encodeSessionStart } from "@gatehouse/recording";
import { openIndex } from "@gatehouse/recording/index";
import { buildIndex } from "@gatehouse/recording/indexing";
import { nodeSealCrypto, nodeZstd } from "@gatehouse/recording/node";
import { createScreen } from "../../packages/cli/src/player/screen.ts";
import { deriveKey } from "../../packages/recording/src/derive-key.ts";
import { facts } from "../../packages/recording/src/testing/facts.ts";
import { openTerminal } from "../parts/terminal.ts";

const seed = Number(process.env["SEED"] ?? 20_261_126);

/** Cuts what a terminal showed anywhere, characters included, and lets time pass between the pieces. */
function framesOf(
  shown: Uint8Array,
  random: Random,
  sizes: readonly { at: number; cols: number; rows: number }[] = [],
): Frame[] {
  const frames: Frame[] = [];
  let timeUs = 0;
  const add = (kind: Frame["kind"], data: Uint8Array) =>
    frames.push({ seq: frames.length, timeUs, kind, stream: 0, data });
  add("session.start", encodeSessionStart(facts));
  const due = [...sizes];
  for (let at = 0; at < shown.length;) {
    const [a = 0, b = 0, c = 0] = random.bytes(3);
    while (due[0] && due[0].at <= at)
      add("resize", encodeResize(due.shift() as { cols: number; rows: number }));
    // Often several in one moment.
    if (c > 60) timeUs += c * 10_000;
    const end = Math.min(shown.length, at + 1 + (a < 40 ? b % 8 : a * 6 + b));
    add("output", shown.subarray(at, end));
    at = end;
  }
  add("session.end", encodeSessionEnd({ reason: "client" }));
  return frames;
}

type Shown = ReturnType<typeof createScreen>;

function pictureOf(screen: Shown): string {
  const { cols, rows, cursor } = screen;
  const lines = Array.from({ length: rows }, (_, row) => screen.row(row, cols));
  return JSON.stringify({ cols, rows, cursor, lines }, null, 1);
}

/** At each of these moments, the screen after a seek is the screen of playing from the start. */
async function sameScreens(name: string, frames: readonly Frame[], random: Random): Promise<void> {
  const laneKey = new Uint8Array(32).fill(7);
  const bytes = await buildIndex({
    facts,
    frames: (async function* () {
      yield* frames;
    })(),
    laneKey,
    headSha256: "00".repeat(32),
    crypto: nodeSealCrypto,
  });
  const index = await openIndex({
    read: async (start, end) => bytes.subarray(start, end),
    recordingId: facts.sessionId,
    deriveKey: (purpose, salt) => deriveKey(laneKey, purpose, salt),
    zstd: nodeZstd,
  });
  const endUs = index.directory.durationUs;
  const kept = index.directory.keyframes.timeUs;
  assert.ok(kept.length >= 2, `${name}: ${kept.length} keyframes`);
  const view = new DataView(random.bytes(4 * 40).buffer);
  const moments = Array.from({ length: 40 }, (_, i) => Math.floor((view.getUint32(4 * i) / 2 ** 32) * endUs));
  // The moments at which a state was kept, and the ends of what follows it.
  moments.push(...kept.filter((_, i) => i % Math.ceil(kept.length / 20) === 0), endUs);
  const fromStart = createScreen(facts.size ?? { cols: 80, rows: 24 });
  let at = 0;
  for (const momentUs of moments.sort((a, b) => a - b)) {
    for (; at < frames.length && (frames[at]?.timeUs ?? 0) <= momentUs; at++) {
      const frame = frames[at];
      if (!frame) break;
      if (frame.kind === "resize") await fromStart.settled();
      fromStart.apply(frame);
    }
    await fromStart.settled();
    const keyframe = await index.keyframeAt(momentUs);
    const sought = createScreen(keyframe ?? facts.size ?? { cols: 80, rows: 24 });
    if (keyframe) sought.restore(keyframe.state);
    for (const frame of frames) {
      if (frame.seq < (keyframe?.seq ?? 0) || frame.timeUs > momentUs) continue;
      if (frame.kind === "resize") await sought.settled();
      sought.apply(frame);
    }
    await sought.settled();
    assert.equal(
      pictureOf(sought),
      pictureOf(fromStart),
      `${name}, seed ${seed}: at ${momentUs} from the keyframe of ${keyframe?.timeUs}, seq ${keyframe?.seq}`,
    );
    sought.dispose();
  }
  fromStart.dispose();
}

async function record(
  context: TestContext,
  program: readonly string[],
  use: (terminal: ReturnType<typeof openTerminal>) => Promise<void>,
): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), "gatehouse-seek-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const terminal = openTerminal(program, join(folder, "size"), { cols: 80, rows: 24 });
  await use(terminal);
  await terminal.exited;
  return terminal.shown();
}

const text = Array.from(
  { length: 400 },
  (_, i) => `line ${i} grün 日本語の行 🎉👩‍💻 שלום e\u0301 ${"x".repeat(i % 70)}`,
).join("\n");

function textFile(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "gatehouse-seek-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "text.c");
  writeFileSync(path, text);
  return path;
}

const programs: Record<string, (context: TestContext) => Promise<Uint8Array>> = {
  "vim, with colours, a split and scrolling": (context) =>
    record(context, ["vim", "-u", "NONE", "-N", textFile(context)], async (vim) => {
      await vim.shows(/line 3/);
      vim.type(":syntax on\r:set nu\r:split\r");
      for (let i = 0; i < 15; i++) vim.type("\u0004");
      vim.type("ggihello \u001b20jdd:vsplit\r");
      for (let i = 0; i < 30; i++) vim.type("\u0005");
      vim.type("G:qa!\r");
    }),
  less: (context) =>
    record(context, ["less", textFile(context)], async (less) => {
      await less.shows(/line 3/);
      for (let i = 0; i < 12; i++) less.type(" ");
      for (let i = 0; i < 12; i++) less.type("b");
      less.type("/line 200\rGq");
    }),
  top: (context) => record(context, ["top", "-d", "0.2", "-n", "12"], async () => undefined),
  // Each pane ends by itself, and tmux with the last.
  "tmux with panes": (context) =>
    record(
      context,
      [
        ["tmux", "-u", "-L", `seek${process.pid}`, "-f", "/dev/null"],
        ["new-session", `cat ${textFile(context)}; sleep 1`, ";"],
        // Written bit by bit: what comes at once tmux shows as one picture, and a seek needs several to choose from.
        ["split-window", "-h", "for i in $(seq 1 60); do echo row $i; sleep 0.03; done", ";"],
        ["split-window", "top -d 0.2 -n 10"],
      ].flat(),
      async () => undefined,
    ),
};

for (const [name, play] of Object.entries(programs))
  test(`${name}: the screen after a seek is the screen of playing from the start`, async (context) => {
    const random = seededRandom(seed);
    await sameScreens(name, framesOf(await play(context), random), random);
  });

test("so it is for what no program of these says: margins, tab stops, line drawing, the saved cursor, floods", async () => {
  const random = seededRandom(seed);
  const pieces = [
    "\u001b[5;15r\u001b[?6h\u001b[2;3Hin the margins\r\n\n\n\n\n\n\n\n\n\n\n\nscrolled\u001b[?6l\u001b[r",
    "\u001b[3;9r",
    "\u001b[3g\u001b[1;6H\u001bH\u001b[1;20H\u001bH\ra\tb\tc\r\n",
    "\u001b(0lqqqqk\r\nx    x\u001b(B plain\u001b(0\r\nmqqqqj\u001b(B\r\n",
    "\u001b)0\u000eqqq\u000f\r\n",
    "\u001b[31;1m\u001b[7;7H\u001b7\u001b[0m\u001b[1;1Hhome\u001b8here\u001b[0m\r\n",
    "\u001b[?25l\u001b[38;2;1;200;3mtrue\u001b[48;5;19mcolour\u001b[0m\u001b[?25h",
    "\u001b[?1049h\u001b[2J\u001b[3;3H\u001b[44malternate\u001b[K\u001b[5;12r\u001b[12;1H\n\n\u001b[0m",
    "\u001b[?1049l",
    "\u001b[4hinserted\u001b[4l\u001b[?7l" + "no wrap ".repeat(20) + "\u001b[?7h\r\n",
    "\u001b[5@\u001b[3P\u001b[2L\u001b[1M\u001b[4X\u001b[3S\u001b[2T",
    "x\u001b[9be\u0301\u0301 日本\b\b語 \u001b]0;a title that is long enough\u0007\u001bPq#0~~\u001b\\",
    "y\r\n".repeat(400),
    "a long line that goes on and on ".repeat(30) + "\r\n",
    "\u001b[1;4;9mstyled \u001b[4:3mcurly \u001b[53mover\u001b[0m\r\n",
    "\u001bc",
    "\u001b[2J\u001b[H",
    "grün 日本語 🎉👩‍💻 שלום عربى\r\n",
  ];
  for (let round = 0; round < 4; round++) {
    const picks = random.bytes(300);
    const shown = utf8(Array.from(picks, (pick) => pieces[pick % pieces.length] ?? "").join(""));
    const sizes = [0.2, 0.4, 0.5, 0.8].map((share, i) => ({
      at: Math.floor(shown.length * share),
      cols: [100, 60, 132, 80][i] ?? 80,
      rows: [30, 20, 50, 24][i] ?? 24,
    }));
    await sameScreens(`round ${round}`, framesOf(shown, random, round % 2 === 0 ? [] : sizes), random);
  }
});

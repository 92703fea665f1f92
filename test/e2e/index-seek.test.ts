/** What an index tells of recordings of real programs: any moment's screen as it was, and the text as it stood there. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Random, seededRandom, utf8 } from "@gatehouse/kernel";
import type { Frame } from "@gatehouse/recording";
import { type IndexedLine, type RecordingIndex, openIndex } from "@gatehouse/recording/index";
import { buildIndex } from "@gatehouse/recording/indexing";
import { nodeSealCrypto, nodeZstd } from "@gatehouse/recording/node";
import { createScreen } from "../../packages/cli/src/player/screen.ts";
import { deriveKey } from "../../packages/recording/src/derive-key.ts";
import { blankTerminal } from "../../packages/recording/src/testing/blank-terminal.ts";
import { facts } from "../../packages/recording/src/testing/facts.ts";
import { linesIn } from "../../packages/recording/src/transcript/lines-in.ts";
import { shownBy } from "../../packages/recording/src/transcript/shown.ts";
import { framesOf, programs, record } from "../parts/recorded-programs.ts";

const seed = Number(process.env["SEED"] ?? 20_261_126);

type Shown = ReturnType<typeof createScreen>;

function pictureOf(screen: Shown): string {
  const { cols, rows, cursor } = screen;
  const lines = Array.from({ length: rows }, (_, row) => screen.row(row, cols));
  return JSON.stringify({ cols, rows, cursor, lines }, null, 1);
}

async function indexOf(frames: readonly Frame[]): Promise<RecordingIndex> {
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
  return await openIndex({
    read: async (start, end) => bytes.subarray(start, end),
    recordingId: facts.sessionId,
    deriveKey: (purpose, salt) => deriveKey(laneKey, purpose, salt),
    zstd: nodeZstd,
  });
}

/** At each of these moments, the screen after a seek is the screen of playing from the start. */
async function sameScreens(
  name: string,
  frames: readonly Frame[],
  index: RecordingIndex,
  random: Random,
): Promise<void> {
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
    for (const frame of frames.slice(keyframe?.seq ?? 0)) {
      if (frame.timeUs > momentUs) break;
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

/** A screen that stood still so long is in the index, whatever was drawn over it. */
const stillUs = 200_000;

/** What stood still on the screen is found at its moment, and what is found stood on the screen at the moment that is said. */
async function sameText(
  name: string,
  frames: readonly Frame[],
  index: RecordingIndex,
  random: Random,
): Promise<void> {
  const lines: IndexedLine[] = [];
  for await (const line of index.lines()) lines.push(line);
  assert.ok(lines.length > 20, `${name}: ${lines.length} lines`);
  const byText = Map.groupBy(lines, ({ text: one }) => one);
  const pick = (count: number, of: number) => {
    const view = new DataView(random.bytes(4 * count).buffer);
    return Array.from({ length: count }, (_, i) => Math.floor((view.getUint32(4 * i) / 2 ** 32) * of));
  };
  const asked = Map.groupBy(
    pick(60, lines.length).map((n) => lines[n] as IndexedLine),
    ({ fromUs }) => fromUs,
  );
  const shown = frames.filter((frame) => shownBy(frame).what !== "nothing");
  const looked = new Set(pick(60, shown.length));
  const terminal = blankTerminal();
  const screen = () => {
    const buffer = terminal.buffer.active;
    let top = buffer.baseY;
    while (top > 0 && buffer.getLine(top)?.isWrapped) top--;
    return linesIn(buffer, top, buffer.baseY + terminal.rows);
  };
  // What stood there within a moment: at the end of each piece, and before it was cleared.
  const seen = new Set<string>();
  const see = () => {
    for (const line of screen()) seen.add(line);
    return false;
  };
  terminal.parser.registerCsiHandler({ final: "J" }, see);
  terminal.parser.registerCsiHandler({ prefix: "?", final: "l" }, see);
  let compared = 0;
  for (const [i, frame] of shown.entries()) {
    const what = shownBy(frame);
    if (what.what === "size") terminal.resize(what.cols, what.rows);
    // Written as the index had it: the library does not show every character alike wherever it is torn.
    else if (what.what === "bytes") await new Promise<void>((resolve) => terminal.write(what.bytes, resolve));
    see();
    const due = asked.get(frame.timeUs) ?? [];
    if (due.length > 0)
      for (const line of linesIn(terminal.buffer.normal, 0, terminal.buffer.normal.length)) seen.add(line);
    if (shown[i + 1]?.timeUs === frame.timeUs) continue;
    for (const { text: line } of due)
      assert.ok(
        [...seen].some((one) => one.includes(line)),
        `${name}, seed ${seed}: at ${frame.timeUs} there was no ${JSON.stringify(line)}`,
      );
    seen.clear();
    const nextUs = shown[i + 1]?.timeUs ?? frame.timeUs + stillUs;
    if (!looked.has(i) || nextUs - frame.timeUs < stillUs) continue;
    for (const line of screen()) {
      if (line.trim() === "" || line.length > 1000) continue;
      const isFound =
        (byText.get(line) ?? []).some(({ fromUs, toUs }) => fromUs <= frame.timeUs && toUs >= frame.timeUs) ||
        // One that goes on to grow is told of when it is whole.
        lines.some(
          (one) => one.toUs >= frame.timeUs && one.text.length > line.length && one.text.startsWith(line),
        );
      assert.ok(isFound, `${name}, seed ${seed}: ${JSON.stringify(line)} stood there at ${frame.timeUs}`);
      compared++;
    }
  }
  assert.ok(compared > 20, `${name}: ${compared} lines were looked for`);
  terminal.dispose();
}

for (const [name, play] of Object.entries(programs))
  test(`${name}: the screen after a seek is the screen of playing from the start, the text that which was there`, async (context) => {
    const random = seededRandom(seed);
    const shown = await play(context);
    // How much a program shows is the machine's doing too, and a seek needs several keyframes to choose from.
    const frames = framesOf(shown, random, { times: Math.min(1, shown.length / 60_000) });
    const index = await indexOf(frames);
    await sameScreens(name, frames, index, random);
    await sameText(name, frames, index, random);
  });

test("so it is for a flood of yes", async (context) => {
  const random = seededRandom(seed);
  // 10 MB of it take ten times as long, and are in the benchmark.
  const lines = Number(process.env["YES_LINES"] ?? 524_288);
  const shown = await record(
    context,
    ["sh", "-c", `echo before; yes | head -n ${lines}; echo after`],
    async () => undefined,
  );
  assert.ok(shown.length > 3 * lines, "a return before each feed");
  const frames = framesOf(shown, random, { times: 40 });
  const index = await indexOf(frames);
  await sameScreens("yes", frames, index, random);
  const counts = new Map<string, number>();
  for await (const { text: line } of index.lines()) counts.set(line, (counts.get(line) ?? 0) + 1);
  const { before, after, y = 0, ...others } = Object.fromEntries(counts);
  assert.deepEqual([before, after, others], [1, 1, {}]);
  // Those that stand alike on the last screen are one.
  assert.ok(y <= lines && y > lines - 24, `${y} of ${lines}`);
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
    const frames = framesOf(shown, random, { sizes: round % 2 === 0 ? [] : sizes });
    await sameScreens(`round ${round}`, frames, await indexOf(frames), random);
  }
});

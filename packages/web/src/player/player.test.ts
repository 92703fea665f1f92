import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { WireFrame } from "@gatehouse/contracts/rest";
import { GatehouseError, fromUtf8, utf8 } from "@gatehouse/kernel";
import { activity, afterIdle, idleStretches } from "./activity.ts";
import { momentsOf, plainText } from "./moments.ts";
import { Playback, advance } from "./playback.ts";
import type { Screen } from "./showing.ts";
import { type Before, type Reel, followReel, frameAt, loadReel, unindexed } from "./reel.ts";

let seq = 0;
const frame = (timeMs: number, kind: string, data: string | object = ""): WireFrame => ({
  seq: seq++,
  timeUs: timeMs * 1000,
  kind,
  stream: 0,
  data: utf8(typeof data === "string" ? data : JSON.stringify(data)),
});
async function* from(frames: WireFrame[], error?: unknown) {
  yield* frames;
  if (error !== undefined) throw error;
}

/** A screen that keeps what was written to it: what a terminal shows is a function of that. */
class PaperScreen implements Screen {
  text = "";
  size = { cols: 0, rows: 0 };
  written = 0;
  reset(size: { cols: number; rows: number }) {
    this.text = "";
    this.size = size;
  }
  resize(size: { cols: number; rows: number }) {
    this.size = size;
  }
  async write(data: Uint8Array | string) {
    await Promise.resolve();
    const text = typeof data === "string" ? data : fromUtf8(data);
    this.written += text.length;
    this.text += text;
  }
  serialize() {
    return this.text;
  }
}

test("what was read before a failure stays, with the failure", async () => {
  const frames = [frame(0, "output", "a"), frame(10, "output", "b")];
  const told: Reel[] = [];
  const broken = new GatehouseError({ code: "corrupt", op: "t", message: "cut" });
  await loadReel(from(frames, broken), (reel) => told.push(reel));
  assert.deepEqual(told.at(-1)?.frames, frames);
  assert.deepEqual([told.at(-1)?.state, told.at(-1)?.error, told.at(-1)?.endUs], ["failed", broken, 10_000]);
});

test("a live session's reel grows, is as long as it is late, and says when it is caught up, cut off and over", async () => {
  const now = (elapsedUs: number, behindUs: number) =>
    ({ what: "now", now: { elapsedUs, behindUs, resynced: false } }) as const;
  const told: [Reel["state"], number, number, boolean][] = [];
  await followReel(
    (async function* () {
      yield { what: "frame", frame: frame(10, "output", "a") } as const;
      yield now(50_000, 40_000);
      yield now(60_000, 0);
      yield { what: "lost" } as const;
      yield { what: "frame", frame: frame(70, "output", "b") } as const;
    })(),
    (reel, isConnected) => told.push([reel.state, reel.frames.length, reel.endUs, isConnected]),
  );
  assert.deepEqual(told, [
    ["loading", 1, 10_000, true],
    ["loading", 1, 50_000, true],
    ["live", 1, 60_000, true],
    ["live", 1, 60_000, false],
    ["live", 2, 70_000, true],
    ["whole", 2, 70_000, true],
  ]);
});

test("of a terminal that is looked on at the newest alone is held, as far as the gateway has the rest", async () => {
  const large = (timeMs: number) => frame(timeMs, "output", "x".repeat(700_000));
  const start = frame(0, "session.start", { track: "terminal" });
  const frames = [start, ...[10, 20, 30, 40, 50].map(large), frame(60, "output", "end")];
  const index = { durationUs: 30_000, events: [] } as unknown as Before["index"];
  let asked = 0;
  const follow = async (given: WireFrame[], readBefore: () => Promise<Before | undefined>) => {
    let last: Reel | undefined;
    let nowMs = 0;
    await followReel(
      (async function* () {
        for (const one of given) {
          yield { what: "frame", frame: one } as const;
          // What is asked for is answered between two frames.
          await Promise.resolve().then(() => Promise.resolve());
          nowMs += 5_000;
        }
      })(),
      (reel) => (last = reel),
      { nowMs: () => nowMs, readBefore },
    );
    return last;
  };
  const reel = await follow(frames, async () => {
    asked++;
    return { index, keyframe: { seq: frames[3]?.seq ?? 0, timeUs: 25_000 } };
  });
  // Asked when there was too much, and then not at once again.
  assert.equal(asked, 2);
  assert.deepEqual([reel?.state, reel?.endUs, reel?.before?.index], ["whole", 60_000, index]);
  assert.deepEqual(
    reel?.frames.map(({ timeUs }) => timeUs),
    [30_000, 40_000, 50_000, 60_000],
  );
  assert.equal(reel?.bytes, 3 * 700_000 + 3);
  assert.deepEqual(
    unindexed(reel as Reel).map(({ timeUs }) => timeUs),
    [40_000, 50_000, 60_000],
  );

  // Where the gateway is further than what has come in, what comes in until there is passed over.
  const behind = await follow(frames.slice(0, 6), async () => ({
    index: { ...index, durationUs: 55_000 },
    keyframe: { seq: frames[6]?.seq ?? 0, timeUs: 55_000 },
  }));
  assert.deepEqual([behind?.frames.length, behind?.endUs], [0, 55_000]);

  // Tables are made of all that happened, and who may look on alone has no index.
  asked = 0;
  const denied = async () => {
    asked++;
    throw new GatehouseError({ code: "denied", op: "t", message: "no" });
  };
  assert.equal(
    (await follow([frame(0, "session.start", { track: "query" }), ...frames.slice(1)], denied))?.frames
      .length,
    7,
  );
  assert.equal(asked, 0);
  assert.equal((await follow(frames, denied))?.frames.length, 7);
  assert.equal(asked, 1);
});

test("a recording that is too large is held to the limit, and said to be", async () => {
  const frames = Array.from({ length: 10 }, (_, i) => frame(i, "output", "x".repeat(100)));
  const told: Reel[] = [];
  await loadReel(from(frames), (reel) => told.push(reel), { bytesMax: 350 });
  assert.deepEqual([told.at(-1)?.state, told.at(-1)?.frames.length], ["too-large", 3]);
});

test("the first frame at or after a moment", () => {
  const frames = [0, 5, 5, 9].map((ms) => frame(ms, "output"));
  assert.deepEqual(
    [0, 4, 5, 6, 9, 10].map((ms) => frameAt(frames, ms * 1000)),
    [0, 1, 1, 3, 3, 4],
  );
});

test("wherever one goes, the screen is what it would be from the start", async () => {
  const sample = fc.array(
    fc.record({
      gapMs: fc.nat(50),
      text: fc.string({ maxLength: 8 }),
      big: fc.boolean(),
      resize: fc.boolean(),
    }),
    { minLength: 1, maxLength: 40 },
  );
  await fc.assert(
    fc.asyncProperty(
      sample,
      fc.array(fc.nat(2500), { minLength: 1, maxLength: 12 }),
      async (made, wishesMs) => {
        let at = 0;
        const frames = made.map(({ gapMs, text, big, resize }, i) => {
          at += gapMs;
          return resize
            ? frame(at, "resize", { cols: 80 + i, rows: 24 })
            : frame(at, "output", big ? "#".repeat(90_000) : text);
        });
        const screen = new PaperScreen();
        const playback = new Playback(screen);
        playback.feed(frames, { cols: 80, rows: 24 });
        for (const wishMs of wishesMs) {
          await playback.show(wishMs * 1000);
          const before = frames.filter((one) => one.timeUs <= wishMs * 1000);
          const text = before
            .filter((one) => one.kind === "output")
            .map((one) => fromUtf8(one.data))
            .join("");
          assert.ok(screen.text === text, "the text is that of all frames up to the moment");
          const cols = before.findLast((one) => one.kind === "resize");
          assert.equal(
            screen.size.cols,
            cols ? (JSON.parse(fromUtf8(cols.data)) as { cols: number }).cols : 80,
          );
        }
      },
    ),
    { numRuns: 60 },
  );
});

test("going back writes from a kept state, not from the start; a newer wish replaces an older", async () => {
  const frames = Array.from({ length: 200 }, (_, i) => frame(i * 100, "output", "y".repeat(20_000)));
  const screen = new PaperScreen();
  const playback = new Playback(screen);
  playback.feed(frames, { cols: 80, rows: 24 });
  await playback.show(20_000_000);
  assert.ok(playback.keyframeCount >= 10);

  const many = [1, 5_000_000, 9_000_000, 200_000].map((us) => playback.show(us));
  await Promise.all(many);
  assert.equal(screen.text.length, 3 * 20_000);
});

test("idle time is what nobody saw, and skipping leaves a little of it", () => {
  const frames = [frame(0, "output"), frame(1000, "input"), frame(1500, "env"), frame(61_000, "output")];
  const idle = idleStretches(frames, 70_000_000);
  assert.deepEqual(idle, [
    { fromUs: 1_000_000, toUs: 61_000_000 },
    { fromUs: 61_000_000, toUs: 70_000_000 },
  ]);
  assert.equal(afterIdle(idle, 500_000), 500_000);
  assert.equal(afterIdle(idle, 30_000_000), 60_400_000);
  assert.equal(advance(1_590_000, 20, 1, idle, 70_000_000), 60_400_000);
  assert.equal(advance(1_590_000, 20, 1, undefined, 70_000_000), 1_610_000);
  assert.equal(advance(69_990_000, 1000, 4, undefined, 70_000_000), 70_000_000);
});

test("activity is a share of the loudest part, and silence is silence", () => {
  const frames = [frame(0, "output", "a".repeat(1000)), frame(900, "output", "b")];
  const shares = activity(frames, 1_000_000, 10);
  assert.equal(shares[0], 1);
  assert.deepEqual(
    shares.slice(1, 9),
    Array.from({ length: 8 }, () => 0),
  );
  assert.ok((shares[9] ?? 0) > 0 && (shares[9] ?? 1) < 0.3);
});

test("typed lines are moments; what was not echoed is not shown", () => {
  const type = (atMs: number, text: string, echoes: boolean) =>
    [...text].flatMap((key, i) => {
      const typed = frame(atMs + i * 10, "input", key);
      if (!echoes && key !== "\r") return [typed];
      return [typed, frame(atMs + i * 10 + 1, "output", key === "\r" ? "\r\n" : key)];
    });
  const frames = [
    frame(0, "request", { type: "shell", pty: { term: "xterm", cols: 80, rows: 24, modes: {} } }),
    ...type(100, "sudo -i\r", true),
    frame(300, "output", "[sudo] password for jane: "),
    ...type(400, "hunter2\r", false),
    // Completed by Tab: what the terminal shows is what was run.
    frame(1000, "input", "cd rel"),
    frame(1001, "output", "cd rel"),
    frame(1050, "input", "\t"),
    frame(1051, "output", "eases/"),
    frame(1100, "input", "\r"),
    frame(1101, "output", "\r\n"),
    // In one piece, echoed later, as a fast connection or a paste has it.
    frame(1500, "input", "uptime\r"),
    frame(1510, "output", "uptime\r\n 22:43 up 1 day\r\n$ "),
    frame(2000, "notice", "\u001b[33mThis session ends in 5 minutes\u001b[0m\r\n"),
    frame(2100, "exit", { status: 2 }),
  ];
  assert.deepEqual(
    momentsOf(frames).map((moment) => [moment.timeUs / 1000, moment.kind, moment.text]),
    [
      [0, "request", "shell"],
      [100, "typed", "sudo -i"],
      [400, "hidden", "typed without being shown"],
      [1000, "typed", "cd releases/"],
      [1500, "typed", "uptime"],
      [2000, "notice", "This session ends in 5 minutes"],
      [2100, "exit", "exit 2"],
    ],
  );
  assert.doesNotMatch(JSON.stringify(momentsOf(frames)), /hunter2/);
});

test("anything at all in a frame is survived", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          kind: fc.constantFrom("input", "output", "resize", "notice", "exit", "join", "nothing-known"),
          data: fc.uint8Array({ maxLength: 40 }),
        }),
      ),
      (made) => {
        momentsOf(made.map((one, i) => ({ seq: i, timeUs: i, stream: 0, ...one })));
      },
    ),
  );
});

test("control sequences are taken out of text", () => {
  assert.equal(
    plainText("\u001b]0;title\u0007\u001b[01;32mroot\u001b[00m:\u001b(B~\u001b[?2004h$ "),
    "root:~$ ",
  );
});

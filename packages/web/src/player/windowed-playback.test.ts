import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { WireFrame } from "@gatehouse/contracts/rest";
import { GatehouseError, fromUtf8, utf8 } from "@gatehouse/kernel";
import { type FrameWindow, FrameWindows } from "./frame-windows.ts";
import { frameAt } from "./reel.ts";
import type { Screen } from "./showing.ts";
import { Keyframes, WindowedPlayback } from "./windowed-playback.ts";

/** What a terminal shows is a function of what was written to it since it was empty. */
class PaperScreen implements Screen {
  text = "";
  size = "";
  reset({ cols, rows }: { cols: number; rows: number }) {
    this.text = "";
    this.size = `${cols}x${rows}`;
  }
  resize({ cols, rows }: { cols: number; rows: number }) {
    this.size = `${cols}x${rows}`;
  }
  async write(data: Uint8Array | string) {
    await Promise.resolve();
    this.text += typeof data === "string" ? data : fromUtf8(data);
  }
  serialize() {
    return this.text;
  }
}

type Recorded = { frames: WireFrame[]; endUs: number };

function recorded(
  said: readonly { gapMs: number; text: string; repeat: number; resize: boolean }[],
): Recorded {
  let timeUs = 0;
  const frames = said.map(({ gapMs, text, repeat, resize }, seq) => {
    timeUs += gapMs * 1000;
    const kind = resize ? "resize" : seq % 7 === 3 ? "input" : "output";
    const data = resize ? JSON.stringify({ cols: 80 + seq, rows: 24 }) : `${seq}${text}`.repeat(repeat);
    return { seq, timeUs, kind, stream: 0, data: utf8(data) };
  });
  return { frames, endUs: timeUs };
}

function shownAt({ frames }: Recorded, untilSeq: number): { text: string; size: string } {
  let text = "";
  let size = "80x24";
  for (const { kind, data, seq } of frames.slice(0, untilSeq)) {
    if (kind === "output") text += fromUtf8(data);
    if (kind === "resize") size = `${80 + seq}x24`;
  }
  return { text, size };
}

/** The doors of the gateway over a recording with a kept state every few frames. */
function opened(
  recording: Recorded,
  { every = 5, newest }: { every?: number; newest?: () => FrameWindow } = {},
) {
  const { frames, endUs } = recording;
  const asked: { fromUs: number; toUs: number }[] = [];
  const bucketUs = Math.max(1, Math.ceil((endUs + 1) / 50));
  const bytes = Array.from({ length: 50 }, () => 0);
  for (const { timeUs, data } of frames) {
    const at = Math.floor(timeUs / bucketUs);
    bytes[at] = (bytes[at] ?? 0) + data.length;
  }
  let fails = false;
  const windows = new FrameWindows(
    { durationUs: endUs, activity: { bucketUs, bytes } },
    async function* (span, signal) {
      asked.push(span);
      for (const frame of frames.slice(frameAt(frames, span.fromUs), frameAt(frames, span.toUs))) {
        await Promise.resolve();
        signal.throwIfAborted();
        if (fails) throw new GatehouseError({ code: "unavailable", op: "t", message: "away" });
        yield frame;
      }
    },
    newest,
  );
  const keyframes = new Keyframes(async (atUs) => {
    await Promise.resolve();
    let seq = 0;
    for (let n = every; n < frames.length && (frames[n - 1]?.timeUs ?? 0) <= atUs; n += every) seq = n;
    if (seq === 0) return undefined;
    const { text, size } = shownAt(recording, seq);
    const [cols = 0, rows = 0] = size.split("x").map(Number);
    return { timeUs: frames[seq - 1]?.timeUs ?? 0, seq, cols, rows, state: text };
  });
  const screen = new PaperScreen();
  const playback = new WindowedPlayback(screen, windows, keyframes);
  return { asked, windows, screen, playback, fail: (does: boolean) => (fails = does) };
}

test("wherever one goes, and however fast one changes one's mind, the screen is what it would be from the start", async () => {
  const said = fc.array(
    fc.record({
      gapMs: fc.nat(50),
      text: fc.string({ maxLength: 8 }),
      // Some of it large enough for several windows, and for windows that are cut.
      repeat: fc.constantFrom(1, 1, 1, 20_000, 400_000),
      resize: fc.boolean(),
    }),
    { minLength: 1, maxLength: 30 },
  );
  await fc.assert(
    fc.asyncProperty(
      said,
      fc.array(fc.tuple(fc.nat(1500), fc.boolean()), { minLength: 1, maxLength: 10 }),
      async (made, wishes) => {
        const recording = recorded(made);
        const { playback, screen, windows } = opened(recording);
        for (const [wishMs, waits] of wishes) {
          const us = Math.min(recording.endUs, wishMs * 1000);
          const shown = playback.show(us);
          if (!waits) {
            shown.catch(() => undefined);
            await Promise.resolve();
            continue;
          }
          await shown;
          const expected = shownAt(recording, frameAt(recording.frames, us + 1));
          assert.deepEqual([screen.text.length, screen.size], [expected.text.length, expected.size]);
          assert.equal(screen.text, expected.text);
          assert.ok(windows.keptBytes < 40 * 1024 * 1024);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test("while a session goes on, its end is shown of what is here, and what was let go is read", async () => {
  const recording = recorded(
    Array.from({ length: 60 }, (_, n) => ({
      gapMs: n % 3 === 0 ? 0 : 10,
      text: "-",
      repeat: 1,
      resize: n % 11 === 5,
    })),
  );
  const { frames } = recording;
  let here: FrameWindow = { fromUs: 0, toUs: Number.MAX_SAFE_INTEGER, frames: [], bytes: 0 };
  const { asked, playback, screen } = opened(recording, { newest: () => here });
  for (let n = 1; n <= frames.length; n++) {
    const first = Math.max(0, n - 20 - (n % 20));
    const fromUs = first === 0 ? 0 : (frames[first - 1]?.timeUs ?? 0) + 1;
    here = { fromUs, toUs: Number.MAX_SAFE_INTEGER, frames: frames.slice(first, n), bytes: 0 };
    await playback.show(frames[n - 1]?.timeUs ?? 0);
    const { text, size } = shownAt(recording, n);
    assert.deepEqual([screen.text, screen.size], [text, size]);
  }
  assert.deepEqual(asked, [], "nothing was read to follow");
  for (const n of [3, 58, 31, 19, 20, 21, 60]) {
    const us = frames[n - 1]?.timeUs ?? 0;
    await playback.show(us);
    const { text } = shownAt(recording, frameAt(frames, us + 1));
    assert.equal(screen.text, text, `back at frame ${n}`);
  }
  assert.ok(asked.length > 0 && asked.every(({ toUs }) => toUs <= here.fromUs));
});

test("what is fetched for a moment does not grow with the recording, and what was left behind is let go", async () => {
  const costs: number[] = [];
  for (const frames of [300, 3000]) {
    const recording = recorded(
      Array.from({ length: frames }, () => ({
        gapMs: 100,
        text: "x".repeat(96),
        repeat: 100,
        resize: false,
      })),
    );
    const { playback, asked, windows } = opened(recording, { every: 20 });
    await playback.show(0);
    asked.length = 0;
    await playback.show(recording.endUs * 0.71);
    costs.push(
      recording.frames
        .filter(({ timeUs }) => asked.some(({ fromUs, toUs }) => timeUs >= fromUs && timeUs < toUs))
        .reduce((sum, { data }) => sum + data.length, 0),
    );
    for (let us = 0; us <= recording.endUs; us += 1_000_000) await playback.show(us);
    assert.ok(windows.keptBytes <= 17 * 1024 * 1024, `${windows.keptBytes} bytes kept`);
  }
  const [short = 0, long = 0] = costs;
  assert.ok(long < short * 1.5 && long < 1024 * 1024, costs.join());
});

test("what could not be read is told once it is needed, and read when it is asked for again", async () => {
  const recording = recorded(
    Array.from({ length: 300 }, () => ({ gapMs: 100, text: "x".repeat(96), repeat: 100, resize: false })),
  );
  const { playback, windows, asked, screen, fail } = opened(recording, { every: 20 });
  await playback.show(0);
  fail(true);
  playback.ahead(0);
  await new Promise((resolve) => setImmediate(resolve));
  const tries = asked.length;
  playback.ahead(0);
  assert.equal(asked.length, tries, "it is not tried again and again");
  await assert.rejects(playback.show(windows.reachUs(0)), { code: "unavailable" });
  fail(false);
  await playback.show(recording.endUs);
  assert.equal(screen.text, shownAt(recording, recording.frames.length).text);
});

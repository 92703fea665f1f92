import type { Clock, Timer } from "@gatehouse/kernel";
import type { Key } from "./keys.ts";
import { formatMoment } from "./moment.ts";
import type { PlayFrame, PlayKeyframe, PlaySource } from "./play-source.ts";
import { type Screen, createScreen, lastRows } from "./screen.ts";
import { statusLine } from "./status-line.ts";
import { toldFrames } from "./told-frames.ts";
import type { Viewport } from "./viewport.ts";

export type PlayOptions = {
  source: PlaySource;
  viewport: Viewport;
  clock: Clock;
  speed: number;
  /** What faster and slower go through, ascending. */
  speeds: readonly number[];
  skipIdle: boolean;
  /** Where it begins. */
  fromUs?: number;
  /** Whether there is somebody with keys; without, there is no status line and nothing to wait for. */
  interactive: boolean;
  /** Registers who gets the keys. */
  onKey(listener: (key: Key) => void): void;
  /** Registers who hears that the person's terminal has another size. */
  onResize(listener: () => void): void;
  /** Gives the terminal back, stops the process as the shell's job control wants, and returns when it goes on. */
  suspend(): void;
  signal: AbortSignal;
};

export type PlayOutcome = {
  endedBy: "end" | "quit" | "abort";
  positionUs: number;
  /** The rows of the last screen, styled, for leaving on the person's terminal. */
  lastScreen: readonly string[];
};

/** Not so far ahead, it is quicker to go on from here. */
const leapUs = 5_000_000;
/** With `skipIdle` no wait is longer than this. */
const idleMaxUs = 500_000;
const drawEveryMs = 33;
const seekingShownEveryMs = 200;
/** How long a status over the recording's last row stays after a key. */
const statusMs = 2_000;
/** Taking frames in stops here until the screen has caught up, so a fast source does not fill the memory. */
const pendingBytesMax = 1 << 20;

/** Plays to the end, or until the person quits. The caller opens and closes the viewport. */
export async function play(options: PlayOptions): Promise<PlayOutcome> {
  const { source, viewport, clock, signal, speeds } = options;
  // What is told of statements is no screen that an index could have kept.
  const keyframeAt = source.track === "query" ? undefined : source.keyframeAt?.bind(source);
  let screen = createScreen(source.size);
  let frames = toldFrames(source)[Symbol.asyncIterator]();
  let begunUs = 0;
  /** The moments since then at which something was shown. */
  let shownAtUs: number[] = [];
  let next: PlayFrame | undefined;
  let ended = false;
  let positionUs = 0;
  let paused = false;
  let seeking = false;
  let speed = options.speed;
  let seekToUs = options.fromUs;
  let stepBy = 0;
  const asked = { quit: false };
  let keyShownUntilUs = 0;
  let failure: unknown;
  let wake: () => void = () => undefined;
  let anchor = { atUs: clock.monotonicUs(), positionUs: 0 };

  options.onKey((key) => {
    keyShownUntilUs = clock.monotonicUs() + statusMs * 1000;
    switch (key.act) {
      case "pause":
        paused = !paused;
        break;
      case "seek":
        seekToUs = Math.max(0, (seekToUs ?? positionUs) + key.byS * 1_000_000);
        break;
      case "step":
        stepBy += key.by;
        paused = true;
        break;
      case "start":
        seekToUs = 0;
        break;
      case "end":
        seekToUs = Number.MAX_SAFE_INTEGER;
        break;
      case "faster":
        dropAnchor(positionUs);
        speed = speeds.find((known) => known > speed) ?? speed;
        break;
      case "slower":
        dropAnchor(positionUs);
        speed = speeds.findLast((known) => known < speed) ?? speed;
        break;
      case "suspend":
        options.suspend();
        viewport.forget();
        break;
      case "quit":
        asked.quit = true;
        break;
    }
    wake();
  });
  options.onResize(() => {
    viewport.forget();
    wake();
  });
  signal.addEventListener("abort", () => wake(), { once: true });

  async function advance(): Promise<void> {
    const { done, value } = await frames.next();
    next = done ? undefined : value;
    ended = done === true;
  }

  /** Where the recording is now, by the time that passed since the anchor. */
  function playheadUs(): number {
    return anchor.positionUs + (clock.monotonicUs() - anchor.atUs) * speed;
  }
  function dropAnchor(atPositionUs: number): void {
    anchor = { atUs: clock.monotonicUs(), positionUs: atPositionUs };
  }

  /** Waits for a moment, or for a key. */
  function pauseFor(delayMs: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      let timer: Timer | undefined;
      // The clock's timers keep no process alive, and while playing nothing else may.
      const alive = setInterval(() => undefined, 60_000);
      wake = () => {
        timer?.cancel();
        clearInterval(alive);
        wake = () => undefined;
        resolve();
      };
      if (delayMs !== undefined) timer = clock.after(delayMs, () => wake());
    });
  }

  async function begin(keyframe: PlayKeyframe | undefined): Promise<void> {
    await frames.return?.(undefined);
    screen.dispose();
    screen = createScreen(keyframe ?? source.size);
    if (keyframe) screen.restore(keyframe.state);
    frames = toldFrames(source, keyframe?.timeUs)[Symbol.asyncIterator]();
    begunUs = keyframe?.timeUs ?? 0;
    shownAtUs = [];
    positionUs = begunUs;
    ended = false;
    const fromSeq = keyframe?.seq ?? 0;
    do await advance();
    while (next && next.seq < fromSeq);
  }

  /** What the source gives faster than the screen takes it waits. */
  async function show(frame: PlayFrame): Promise<void> {
    if (screen.apply(frame) && frame.timeUs !== shownAtUs.at(-1)) shownAtUs.push(frame.timeUs);
    if (screen.pendingBytes > pendingBytesMax) await screen.settled();
  }

  /** Applies everything up to a moment at once, from here or from the nearest state that is known before it. */
  async function seek(targetUs: number): Promise<void> {
    const isBack = targetUs < positionUs;
    if (isBack || targetUs - positionUs > leapUs) {
      const keyframe = await keyframeAt?.(targetUs);
      if (isBack || (keyframe && keyframe.timeUs > positionUs)) await begin(keyframe);
    }
    await goOn(targetUs);
  }

  async function goOn(targetUs: number): Promise<void> {
    let drawnAtUs = clock.monotonicUs();
    seeking = true;
    while (next && next.timeUs <= targetUs && !asked.quit && !signal.aborted) {
      await show(next);
      positionUs = Math.max(positionUs, next.timeUs);
      await advance();
      // Through a long recording it takes a while, which is shown.
      if (clock.monotonicUs() - drawnAtUs < seekingShownEveryMs * 1000) continue;
      await screen.settled();
      draw();
      drawnAtUs = clock.monotonicUs();
    }
    seeking = false;
    await screen.settled();
    if (!ended) positionUs = targetUs;
  }

  /** To the next moment at which something is shown, or to the one before that which is shown now. */
  async function step(by: number): Promise<void> {
    const fromUs = positionUs;
    if (by > 0) {
      for (const known = shownAtUs.length; shownAtUs.length === known;) {
        if (!next || asked.quit || signal.aborted) return;
        await goOn(next.timeUs);
      }
      return;
    }
    while (shownAtUs.length < 2 && begunUs > 0 && !asked.quit && !signal.aborted) {
      await begin(await keyframeAt?.(begunUs - 1));
      await goOn(fromUs);
    }
    await seek(shownAtUs.at(-2) ?? 0);
  }

  function status(): string | undefined {
    if (!options.interactive) return source.watermark;
    const how = seeking ? "seeking" : paused ? "paused " : ended ? "ended  " : "playing";
    const total = source.durationUs === undefined ? "" : ` / ${formatMoment(source.durationUs)}`;
    const keys = "space pause, arrows 5 s, [ ] 30 s, , . step, + - speed, q quit";
    return statusLine(
      source.watermark,
      ` ${how} ${formatMoment(positionUs)}${total}  ${speed}x  ${source.title}  (${keys})`,
    );
  }
  function draw(): void {
    const wanted =
      source.watermark !== undefined ||
      paused ||
      seeking ||
      clock.monotonicUs() < keyShownUntilUs ||
      hasRoom(screen);
    viewport.draw(screen, wanted ? status() : undefined);
  }
  const hasRoom = (shown: Screen) => viewport.rows > shown.rows;

  try {
    await advance();
    dropAnchor(0);
    let drawnAtUs = -Infinity;
    while (!asked.quit && !signal.aborted) {
      if (seekToUs !== undefined) {
        const target = seekToUs;
        seekToUs = undefined;
        await seek(target);
        dropAnchor(positionUs);
        draw();
        continue;
      }
      if (stepBy !== 0) {
        const by = Math.sign(stepBy);
        stepBy -= by;
        await step(by);
        dropAnchor(positionUs);
        draw();
        continue;
      }
      if (paused) {
        await screen.settled();
        draw();
        await pauseFor(undefined);
        dropAnchor(positionUs);
        continue;
      }
      if (!next) break;
      positionUs = Math.min(playheadUs(), next.timeUs);
      const waitUs = next.timeUs - positionUs;
      if (options.skipIdle && waitUs > idleMaxUs) {
        dropAnchor(next.timeUs - idleMaxUs);
        continue;
      }
      if (waitUs > 0) {
        await screen.settled();
        draw();
        drawnAtUs = clock.monotonicUs();
        // Not longer than a second, so that the clock in the status line moves.
        await pauseFor(Math.min(waitUs / 1000 / speed, 1000));
        positionUs = Math.min(playheadUs(), next.timeUs);
        continue;
      }
      await show(next);
      if (clock.monotonicUs() - drawnAtUs > drawEveryMs * 1000) {
        await screen.settled();
        draw();
        drawnAtUs = clock.monotonicUs();
      }
      await advance();
    }
    await screen.settled();
    draw();
  } catch (error) {
    failure = error;
  } finally {
    await frames.return?.(undefined);
  }
  const lastScreen = lastRows(screen);
  screen.dispose();
  if (failure !== undefined) throw failure;
  return { endedBy: signal.aborted ? "abort" : asked.quit ? "quit" : "end", positionUs, lastScreen };
}

import { type Clock, utf8 } from "@gatehouse/kernel";
import { printable, shownBy } from "@gatehouse/recording/transcript";
import type { PlaySource } from "./play-source.ts";
import { toldFrames } from "./told-frames.ts";

const idleMaxUs = 500_000;

/** Writes what was shown, at its pace, to something that is no terminal: nobody to draw for, no keys. */
export async function playRaw(options: {
  source: PlaySource;
  clock: Clock;
  speed: number;
  skipIdle: boolean;
  /** What is before it is shown at once. */
  fromUs?: number;
  /** Resolves when more may be written. */
  write(bytes: Uint8Array): Promise<void>;
  signal: AbortSignal;
}): Promise<void> {
  const { source, clock, speed, skipIdle, fromUs = 0, write, signal } = options;
  let startUs = clock.monotonicUs() - fromUs / speed;
  let lastUs = 0;
  if (source.watermark !== undefined) await write(utf8(`${printable(source.watermark)}\r\n`));
  for await (const frame of toldFrames(source)) {
    if (signal.aborted) return;
    const gapUs = frame.timeUs - lastUs;
    lastUs = frame.timeUs;
    // A skipped pause moves the beginning, so everything after it comes sooner.
    if (skipIdle && frame.timeUs > fromUs && gapUs > idleMaxUs) startUs -= (gapUs - idleMaxUs) / speed;
    const waitMs = (startUs + frame.timeUs / speed - clock.monotonicUs()) / 1000;
    if (waitMs >= 1) await waitFor(waitMs, clock, signal);
    const shown = shownBy(frame);
    if (shown.what === "bytes") await write(shown.bytes);
  }
}

function waitFor(delayMs: number, clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const alive = setInterval(() => undefined, 60_000);
    const done = () => {
      timer.cancel();
      clearInterval(alive);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = clock.after(delayMs, done);
    signal.addEventListener("abort", done, { once: true });
  });
}

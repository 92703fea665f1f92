import type { WireFrame } from "@gatehouse/contracts/rest";
import { idleAfterUs, isSeen } from "@gatehouse/recording/index";

/** What is left of an idle stretch when it is skipped: enough to see that something ends and something begins. */
const idleKeptUs = 600_000;

export type Stretch = { fromUs: number; toUs: number };

/** The stretches in which nothing was shown or typed, each longer than `idleAfterUs`. */
export function idleStretches(frames: readonly WireFrame[], endUs: number, fromUs = 0): Stretch[] {
  const out: Stretch[] = [];
  let lastUs = fromUs;
  const close = (toUs: number) => {
    if (toUs - lastUs > idleAfterUs) out.push({ fromUs: lastUs, toUs });
  };
  for (const frame of frames) {
    if (!isSeen(frame.kind)) continue;
    close(frame.timeUs);
    lastUs = frame.timeUs;
  }
  close(endUs);
  return out;
}

/** Where playing goes on when idle time is skipped; the moment itself where there is nothing to skip. */
export function afterIdle(stretches: readonly Stretch[], timeUs: number): number {
  const stretch = stretches.find((one) => timeUs > one.fromUs + idleKeptUs && timeUs < one.toUs - idleKeptUs);
  return stretch ? stretch.toUs - idleKeptUs : timeUs;
}

type InStretches = { bucketUs: number; bytes: readonly number[] };

/**
 * How much went by in each part of the recording, from 0 to 1. Logarithmic: one large listing must not make everything
 * else look like nothing. `before`: what an index has of the time before the frames.
 */
export function activity(
  frames: readonly WireFrame[],
  endUs: number,
  parts: number,
  before?: InStretches,
): number[] {
  const sums = before ? sumsOf(before, endUs, parts) : Array.from({ length: parts }, () => 0);
  for (const frame of frames) {
    if (!isSeen(frame.kind)) continue;
    const part = Math.min(parts - 1, Math.floor((frame.timeUs / Math.max(1, endUs)) * parts));
    sums[part] = (sums[part] ?? 0) + frame.data.length + 1;
  }
  return scaled(sums);
}

/** The same, of what an index has in stretches of its own. */
export function sharesOf(shown: InStretches, endUs: number, parts: number): number[] {
  return scaled(sumsOf(shown, endUs, parts));
}

function sumsOf({ bucketUs, bytes }: InStretches, endUs: number, parts: number): number[] {
  const sums = Array.from({ length: parts }, () => 0);
  const partUs = Math.max(1, endUs) / parts;
  for (const [n, count] of bytes.entries()) {
    const fromUs = n * bucketUs;
    const toUs = Math.min(endUs, fromUs + bucketUs);
    const first = Math.min(parts - 1, Math.floor(fromUs / partUs));
    const last = Math.min(parts - 1, Math.max(first, Math.ceil(toUs / partUs) - 1));
    for (let part = first; part <= last; part++)
      sums[part] = (sums[part] ?? 0) + Math.ceil(count / (last - first + 1));
  }
  return sums;
}

function scaled(sums: readonly number[]): number[] {
  const top = Math.log1p(Math.max(...sums, 1));
  return sums.map((sum) => (sum === 0 ? 0 : Math.max(0.06, Math.log1p(sum) / top)));
}

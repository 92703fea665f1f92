import type { Clock } from "@gatehouse/kernel";
import { formatBytes } from "./amounts.ts";

/** How far something is, on a line of standard error that is gone when it is done. */
export type Progress = { moved(bytes: number): void; done(): void };

const drawEveryUs = 100_000;
const silent: Progress = { moved: () => undefined, done: () => undefined };

/** Shows nothing where nobody watches: `stderr` is no terminal, or the answer is for a machine. */
export function createProgress(options: {
  label: string;
  totalBytes: number | undefined;
  /** From 0 to 1, of what tells it in another way than by its bytes. */
  share?: () => number | undefined;
  clock: Clock;
  stderr: { isTTY?: boolean; columns?: number; write(text: string): unknown };
}): Progress {
  const { label, totalBytes, clock, stderr } = options;
  const share = options.share ?? (() => (totalBytes ? bytes / totalBytes : undefined));
  if (!stderr.isTTY) return silent;
  let bytes = 0;
  const beganUs = clock.monotonicUs();
  let drawnUs = -Infinity;
  return {
    moved(more) {
      bytes += more;
      const nowUs = clock.monotonicUs();
      if (nowUs - drawnUs < drawEveryUs) return;
      drawnUs = nowUs;
      const perS = bytes / Math.max(0.001, (nowUs - beganUs) / 1e6);
      const amount = `${formatBytes(bytes)}${totalBytes ? ` of ${formatBytes(totalBytes)}` : ""}, ${formatBytes(perS)}/s`;
      const room = (stderr.columns ?? 80) - label.length - amount.length - 6;
      const done = share();
      const bar = done !== undefined && room >= 8 ? ` [${filled(done, Math.min(room, 40))}]` : "";
      stderr.write(`\r\u001b[K${label}${bar} ${amount}`.slice(0, (stderr.columns ?? 80) + 4));
    },
    done() {
      if (drawnUs !== -Infinity) stderr.write("\r\u001b[K");
    },
  };
}

/** What is waited for, in words on such a line, where how far it is cannot be told. */
export async function whileSaying<T>(
  words: string,
  work: Promise<T>,
  { stderr }: { stderr: { isTTY?: boolean; write(text: string): unknown } },
): Promise<T> {
  if (!stderr.isTTY) return work;
  stderr.write(`\r\u001b[K${words} ...`);
  try {
    return await work;
  } finally {
    stderr.write("\r\u001b[K");
  }
}

function filled(share: number, width: number): string {
  const full = Math.round(Math.min(1, share) * width);
  return "#".repeat(full) + ".".repeat(width - full);
}

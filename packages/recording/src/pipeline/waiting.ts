import { type Clock, GatehouseError } from "@gatehouse/kernel";

/** Resolves after a time, or at once when `signal` is aborted. */
export function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      timer.cancel();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = clock.after(delayMs, done);
    signal.addEventListener("abort", done);
  });
}

/** Rejects with `timeout` when the work has not settled in time; the work itself goes on and is ignored. */
export async function within<T>(clock: Clock, limitMs: number, op: string, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = clock.after(limitMs, () =>
    reject(
      new GatehouseError({
        code: "timeout",
        op,
        message: `no answer within ${Math.round(limitMs / 1000)} s`,
      }),
    ),
  );
  try {
    return await Promise.race([work, promise]);
  } finally {
    timer.cancel();
  }
}

export type RetryOptions = { clock: Clock; signal: AbortSignal; retryMinMs: number; retryMaxMs: number };

/**
 * Tries again, ever more slowly, until it succeeds or the pipeline stops (`undefined` then). `failed` hears of each
 * failure.
 */
export async function untilDone<T>(
  options: RetryOptions,
  work: () => Promise<T>,
  failed: (error: unknown) => void,
): Promise<{ value: T } | undefined> {
  for (let delayMs = options.retryMinMs; !options.signal.aborted;) {
    try {
      return { value: await work() };
    } catch (error) {
      failed(error);
    }
    await pause(options.clock, delayMs, options.signal);
    delayMs = Math.min(delayMs * 2, options.retryMaxMs);
  }
  return undefined;
}

/** At most so many at a time. */
export class Slots {
  #free: number;
  #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }
  async with<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#free--;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}

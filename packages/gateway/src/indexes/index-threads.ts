import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { type Clock, GatehouseError, type Timer, isGatehouseError } from "@gatehouse/kernel";
import type { Beginning, FromThread, Made, SegmentToTake, ToThread } from "./thread-words.ts";

/** A thread that nobody needed in this time ends. */
const idleMs = 60_000;

type Thread = { worker: Worker; exited: Promise<never>; idle: Timer | undefined };

/**
 * Threads that make indexes, one index at a time each. One that is through is kept a while for the next, because to start
 * it and load all that it needs takes more than most sessions' indexes do.
 */
export class IndexThreads {
  readonly #megabytes: number;
  readonly #clock: Pick<Clock, "after">;
  readonly #stopping = new AbortController();
  readonly #idle: Thread[] = [];

  /** `megabytes` is the memory of each: a recording that needs more gets no index. */
  constructor(options: { megabytes: number; clock: Pick<Clock, "after"> }) {
    this.#megabytes = options.megabytes;
    this.#clock = options.clock;
  }

  get stopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** What is being made is left: it rejects with an `AbortError`. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#idle.splice(0).map(ended));
  }

  /** Rejects with `corrupt` where no index can be made of these segments. */
  async make(beginning: Beginning, segments: AsyncIterable<SegmentToTake>): Promise<Made> {
    const { signal } = this.#stopping;
    const thread = this.#idle.pop() ?? this.#start();
    thread.idle?.cancel();
    const { worker, exited } = thread;
    // A fault that ends the thread rejects whoever waits for its word.
    const ask = async (word: ToThread): Promise<FromThread> => {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      worker.postMessage(word);
      const [said] = (await Promise.race([once(worker, "message", { signal }), exited])) as [FromThread];
      if ("fault" in said) throw faulty(said.fault);
      return said;
    };
    try {
      await ask({ begin: beginning });
      for await (const segment of segments) await ask({ segment });
      const made = await ask({ end: true });
      if (!("index" in made)) throw faulty("the thread ended without an index");
      this.#keep(thread);
      return made;
    } catch (error) {
      await ended(thread);
      if (isGatehouseError(error) || signal.aborted) throw error;
      throw faulty(error instanceof Error ? error.message : "the thread failed", error);
    }
  }

  #start(): Thread {
    const worker = new Worker(new URL("thread-entry.ts", import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: this.#megabytes },
    });
    const exited = once(worker, "exit").then(() => {
      throw faulty("its thread ended");
    });
    exited.catch(() => undefined);
    // One that fails while it is idle must not take the process with it.
    worker.on("error", () => undefined);
    return { worker, exited, idle: undefined };
  }

  #keep(thread: Thread): void {
    if (this.stopping) return void ended(thread);
    this.#idle.push(thread);
    const forget = () => {
      const at = this.#idle.indexOf(thread);
      if (at !== -1) this.#idle.splice(at, 1);
    };
    thread.idle = this.#clock.after(idleMs, () => {
      forget();
      void ended(thread);
    });
    thread.exited.catch(forget);
  }
}

async function ended({ worker, idle }: Thread): Promise<void> {
  idle?.cancel();
  await worker.terminate();
}

export function faulty(message: string, cause?: unknown): GatehouseError {
  return new GatehouseError({
    code: "corrupt",
    op: "index.make",
    message: `no index could be made: ${message}`,
    cause,
  });
}

import { type Clock, messageOf, type Timer } from "@gatehouse/kernel";
import type { KeyWrapper } from "@gatehouse/recording";
import type { Log } from "../telemetry/mod.ts";

export type KeyServiceStatus = {
  provider: string;
  key: string;
  /** What its key wraps: what was shown and, where nothing stricter is configured, what was typed; or what was typed alone. */
  lane: "main" | "input";
  /** Undefined before the first answer. */
  reachable: boolean | undefined;
  lastError?: string;
  failedForMs?: number;
};

export type KeyServiceWatch = {
  /** The same wrapper, whose successes and failures are noted. */
  watched(name: Pick<KeyServiceStatus, "provider" | "key" | "lane">, wrapper: KeyWrapper): KeyWrapper;
  status(): KeyServiceStatus[];
  /**
   * Why no session can be admitted, where none can: a lane that no age recipient has, and each of whose services failed when last
   * asked. `aged` says which lanes have one.
   */
  fault(aged: { main: boolean; input: boolean }): string | undefined;
  start(): void;
  stop(): Promise<void>;
};

/** A service that is well costs a request a minute; one that failed is asked again soon, for sessions may be refused meanwhile. */
const everyMs = 60_000;
const failedEveryMs = 10_000;
/** As long as what is wrapped for a recording, and nobody's. */
const nothing = new Uint8Array(50);

type Watched = {
  name: Pick<KeyServiceStatus, "provider" | "key" | "lane">;
  wrapper: KeyWrapper;
  heardUs: number;
  reachable?: boolean;
  lastError?: string;
  failedSinceUs?: number;
};

/** Whether key services wrap, by asking each and by what sessions find. It decides nothing: a session asks for itself. */
export function createKeyServiceWatch({
  clock,
  log,
}: {
  clock: Clock;
  log: Pick<Log, "warn" | "info">;
}): KeyServiceWatch {
  const all: Watched[] = [];
  let timer: Timer | undefined;
  let running: Promise<unknown> | undefined;
  let isStarted = false;

  async function asked(one: Watched, secret: Uint8Array) {
    const { provider, key } = one.name;
    try {
      const wrap = await one.wrapper.wrap(secret);
      if (one.reachable === false) log.info(`the key service ${provider} wraps again with ${key}`);
      one.reachable = true;
      delete one.lastError;
      delete one.failedSinceUs;
      return wrap;
    } catch (error) {
      if (one.reachable !== false) log.warn("a key service does not wrap", { error: messageOf(error) });
      one.reachable = false;
      one.lastError = messageOf(error);
      one.failedSinceUs ??= clock.monotonicUs();
      throw error;
    } finally {
      one.heardUs = clock.monotonicUs();
    }
  }

  function run(): void {
    const due = all.filter(
      ({ reachable, heardUs }) =>
        reachable === undefined ||
        clock.monotonicUs() - heardUs >= 1000 * (reachable ? everyMs : failedEveryMs),
    );
    running = Promise.allSettled(due.map((one) => asked(one, nothing))).then(() => {
      running = undefined;
      if (isStarted) timer = clock.after(failedEveryMs, run);
    });
  }

  return {
    watched(name, wrapper) {
      const one: Watched = { name, wrapper, heardUs: 0 };
      all.push(one);
      return { covers: (wrap) => wrapper.covers(wrap), wrap: (secret) => asked(one, secret) };
    },
    status: () =>
      all.map(({ name, reachable, lastError, failedSinceUs }) => ({
        ...name,
        reachable,
        ...(lastError !== undefined && { lastError }),
        ...(failedSinceUs !== undefined && { failedForMs: (clock.monotonicUs() - failedSinceUs) / 1000 }),
      })),
    fault(aged) {
      for (const lane of ["main", "input"] as const) {
        const services = all.filter(({ name }) => name.lane === lane);
        if (aged[lane] || services.length === 0) continue;
        if (services.every(({ reachable }) => reachable === false))
          return `no key service wraps the keys of recordings: ${services.map(({ lastError }) => lastError).join("; ")}`;
      }
      return undefined;
    },
    start() {
      if (all.length === 0) return;
      isStarted = true;
      run();
    },
    async stop() {
      isStarted = false;
      timer?.cancel();
      await running;
    },
  };
}

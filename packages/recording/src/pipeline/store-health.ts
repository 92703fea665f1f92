import { type Clock, messageOf, type Timer } from "@gatehouse/kernel";
import type { ObjectStore, StoreProbe } from "./door.ts";
import type { PipelineLog } from "./log.ts";
import { unavailable } from "./unavailable.ts";
import { within } from "./waiting.ts";

export type StoreHealthOptions = {
  store: Pick<ObjectStore, "probe">;
  clock: Clock;
  log: PipelineLog;
  probeIntervalMs: number;
  storeTimeoutMs: number;
  retryMinMs: number;
  retryMaxMs: number;
  outageToleranceMs: number;
};

/**
 * Whether the store can be relied on now: what the last probe or shipment said. While it cannot, it is probed ever more slowly,
 * shipments wait here instead of each finding out by itself, and one of them is let go after each probe that failed: a
 * store that takes objects and fails its probe is found out too.
 */
export class StoreHealth {
  readonly #options: StoreHealthOptions;
  #state: "unknown" | "reachable" | "failed" = "unknown";
  #lastError: string | undefined;
  #lastProbe: StoreProbe | undefined;
  #heardUs = 0;
  #failedSinceUs: number | undefined;
  /** A store that has not been seen to work since the start may be no store at all: no outage of it is tolerated. */
  #wasReachable = false;
  #probing: Promise<void> | undefined;
  #watching = false;
  #timer: Timer | undefined;
  #retryMs: number;
  #waiting: (() => void)[] = [];

  constructor(options: StoreHealthOptions) {
    this.#options = options;
    this.#retryMs = options.retryMinMs;
  }

  get reachable(): boolean {
    return this.#state === "reachable";
  }
  get lastError(): string | undefined {
    return this.#lastError;
  }
  get lastProbe(): StoreProbe | undefined {
    return this.#lastProbe;
  }

  /** For how long the store has failed, where it has. */
  get failedForMs(): number | undefined {
    if (this.#failedSinceUs === undefined) return undefined;
    return (this.#options.clock.monotonicUs() - this.#failedSinceUs) / 1000;
  }

  /**
   * Resolves when the store is usable, or has not failed for longer than is tolerated. One that failed for longer, or was never
   * asked, is probed now, once for all who ask.
   */
  async require(): Promise<void> {
    if (this.reachable) return;
    if (!this.#isTolerated()) await this.probe();
    if (!this.reachable && !this.#isTolerated())
      // What failed names paths and addresses: that is for the log and the status, not for whoever is refused.
      throw unavailable(
        "pipeline.admit",
        "the store of recordings is not usable",
        "See the gateway's log; sessions are admitted again when the store answers.",
      );
  }

  /** Resolves when the store is not known to have failed, when it is one's turn to try all the same, or after `stop`. */
  async turn(): Promise<void> {
    if (this.#state === "failed" && this.#watching)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Never rejects: what it found is the state. */
  probe(): Promise<void> {
    this.#probing ??= this.#probe().finally(() => {
      this.#probing = undefined;
    });
    return this.#probing;
  }

  /** A shipment succeeded or failed: as good as a probe. */
  heard(error?: unknown): void {
    const { clock, log, retryMinMs } = this.#options;
    this.#heardUs = clock.monotonicUs();
    if (error === undefined) {
      if (this.#state === "failed") {
        log.info("the store answers again", { duration_ms: Math.round(this.failedForMs ?? 0) });
        this.#schedule(this.#options.probeIntervalMs);
      }
      this.#state = "reachable";
      this.#wasReachable = true;
      this.#lastError = undefined;
      this.#failedSinceUs = undefined;
      for (const resolve of this.#waiting.splice(0)) resolve();
      return;
    }
    this.#lastError = messageOf(error);
    if (this.#state === "failed") return;
    log.error("the store is not usable", { error: this.#lastError });
    this.#state = "failed";
    this.#failedSinceUs = this.#heardUs;
    this.#retryMs = retryMinMs;
    this.#schedule(retryMinMs);
  }

  /** Probes at intervals in which nothing else was heard. */
  watch(): void {
    this.#watching = true;
    this.#schedule(this.#options.probeIntervalMs);
  }
  stop(): void {
    this.#watching = false;
    this.#timer?.cancel();
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #isTolerated(): boolean {
    const failedForMs = this.failedForMs;
    return this.#wasReachable && failedForMs !== undefined && failedForMs < this.#options.outageToleranceMs;
  }

  #schedule(delayMs: number): void {
    this.#timer?.cancel();
    if (this.#watching) this.#timer = this.#options.clock.after(delayMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    const { clock, probeIntervalMs, retryMaxMs } = this.#options;
    const quietMs = (clock.monotonicUs() - this.#heardUs) / 1000;
    if (this.#state === "failed" || quietMs >= probeIntervalMs / 2) await this.probe();
    if (this.#state !== "failed") return this.#schedule(probeIntervalMs);
    this.#retryMs = Math.min(this.#retryMs * 2, retryMaxMs);
    this.#schedule(this.#retryMs);
    this.#waiting.shift()?.();
  }

  async #probe(): Promise<void> {
    const { store, clock, storeTimeoutMs } = this.#options;
    try {
      this.#lastProbe = await within(clock, storeTimeoutMs, "store.probe", store.probe());
      this.heard();
    } catch (error) {
      this.heard(error);
    }
  }
}

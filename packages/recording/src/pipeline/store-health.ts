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
};

/** Whether the store can be relied on now: what the last probe or shipment said. */
export class StoreHealth {
  readonly #options: StoreHealthOptions;
  #state: "unknown" | "reachable" | "failed" = "unknown";
  #lastError: string | undefined;
  #lastProbe: StoreProbe | undefined;
  #heardUs = 0;
  #probing: Promise<void> | undefined;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: StoreHealthOptions) {
    this.#options = options;
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

  /** Resolves when the store is usable; one that failed, or was never asked, is probed now, once for all who ask. */
  async require(): Promise<void> {
    if (this.#state !== "reachable") await this.probe();
    if (this.#state !== "reachable")
      // What failed names paths and addresses: that is for the log and the status, not for whoever is refused.
      throw unavailable(
        "pipeline.admit",
        "the store of recordings is not usable",
        "See the gateway's log; sessions are admitted again when the store answers.",
      );
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
    this.#heardUs = this.#options.clock.monotonicUs();
    const { log } = this.#options;
    if (error === undefined) {
      if (this.#state === "failed") log.info("the store answers again", {});
      this.#state = "reachable";
      this.#lastError = undefined;
      return;
    }
    this.#lastError = messageOf(error);
    if (this.#state !== "failed") log.error("the store is not usable", { error: this.#lastError });
    this.#state = "failed";
  }

  /** Probes at intervals in which nothing else was heard. */
  watch(): void {
    const { clock, probeIntervalMs } = this.#options;
    this.#timer = clock.after(probeIntervalMs, () => {
      const quietMs = (clock.monotonicUs() - this.#heardUs) / 1000;
      const probed = quietMs >= probeIntervalMs / 2 ? this.probe() : Promise.resolve();
      void probed.then(() => {
        if (!this.#stopped) this.watch();
      });
    });
  }
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
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

import { type Clock, GatehouseError, isGatehouseError, messageOf } from "@gatehouse/kernel";
import { createHash } from "node:crypto";
import type { SessionFacts } from "../frame.ts";
import { type Manifest, manifestName, type RecordingBreak, type SegmentEntry } from "../manifest.ts";
import type { ObjectStore } from "./door.ts";
import type { PipelineLog } from "./log.ts";
import type { Spool } from "./spool.ts";
import type { StoreHealth } from "./store-health.ts";
import { corrupted } from "./unavailable.ts";
import { Slots, untilDone, within } from "./waiting.ts";

export type ShipperOptions = {
  spool: Pick<Spool, "read" | "removeSegment" | "setAside" | "removeRecording">;
  store: ObjectStore;
  health: Pick<StoreHealth, "heard" | "turn">;
  clock: Clock;
  log: PipelineLog;
  signal: AbortSignal;
  shipConcurrency: number;
  retryMinMs: number;
  retryMaxMs: number;
  storeTimeoutMs: number;
  /** Where the session's facts do not say it. */
  retentionMs: number;
  sessionMsMax: number;
  /** Resolves when the journal durably knows that it may forget this recording. */
  forget(sessionId: string): Promise<void>;
  /** Every object was read back and is as it was written. */
  stored(sessionId: string, manifest: Manifest, bytes: number): void;
  /** Signs the manifest anew, with what was lost of the recording since, and puts it in the place of the other. */
  restate(manifest: Manifest, breaks: RecordingBreak[]): Promise<{ manifest: Manifest; bytes: Uint8Array }>;
  /** Something about this recording needs a person: it will not become `stored` by waiting. */
  troubled(sessionId: string, detail: string): void;
  /** Space has become free in the spool. */
  shrunk(): void;
};

/** What is known of a recording that has something to ship. */
type Shipment = {
  readonly prefix: string;
  readonly retentionMs: number;
  waiting: number;
  settled: (() => void) | undefined;
  troubled: boolean;
  /** Segments that were damaged here. Their files stay until a manifest states the loss, so that a crash forgets none. */
  readonly lost: SegmentEntry[];
};

/** `atHand` gives the bytes at the first attempt, where they are still in memory; later ones read the spool. */
type ShipObject = { name: string; sha256: string; keepMs: number; atHand?: () => Uint8Array | undefined };
type Expected = { bytes: number; sha256: string };

/** Segments kept in memory between sealing and their first attempt. */
const atHandBytesMax = 16 * 1024 * 1024;

/** By how much the store's clock may differ from this machine's. */
const aheadMsMax = 24 * 3_600_000;

/** A file in the spool that was read as damaged so often is. */
const damagedReads = 3;

/** `recordings/2026/02/10/<session>`: by the day the session began. */
export function objectPrefix(facts: { sessionId: string; startedAt: string }): string {
  return `recordings/${facts.startedAt.slice(0, 10).replaceAll("-", "/")}/${facts.sessionId}`;
}

/**
 * Brings spooled objects to the store: each is created, then asked for again, and only when size and hash are those
 * that were sent does the local file go (P3). Each is tried again for as long as it takes, alone, so that one that cannot
 * be stored keeps nobody else waiting; a manifest goes when all its segments are there.
 */
export class Shipper {
  readonly #options: ShipperOptions;
  readonly #slots: Slots;
  readonly #shipments = new Map<string, Shipment>();
  #running = 0;
  #atHandBytes = 0;
  #idle: (() => void)[] = [];
  /** Of each object that failed and is tried again, the newest last. */
  readonly #errors = new Map<object, string>();

  constructor(options: ShipperOptions) {
    this.#options = options;
    this.#slots = new Slots(options.shipConcurrency);
  }

  get lastError(): string | undefined {
    return [...this.#errors.values()].at(-1);
  }

  /** A segment that is in the spool; `bytes` where they are at hand, so that they need not be read again. */
  segment(facts: SessionFacts, entry: SegmentEntry, bytes?: Uint8Array): void {
    const { sessionId } = facts;
    let atHand = bytes && this.#atHandBytes + bytes.length <= atHandBytesMax ? bytes : undefined;
    this.#atHandBytes += atHand?.length ?? 0;
    const take = () => {
      const taken = atHand;
      atHand = undefined;
      this.#atHandBytes -= taken?.length ?? 0;
      return taken;
    };
    const shipment = this.#shipmentOf(facts);
    shipment.waiting++;
    this.#run(async () => {
      const done = await this.#ship(sessionId, shipment, {
        name: entry.name,
        sha256: entry.sha256,
        keepMs: this.#options.sessionMsMax,
        atHand: take,
      });
      if (!done) return;
      if (done === "lost") shipment.lost.push(entry);
      else await this.#retry(sessionId, () => this.#options.spool.removeSegment(sessionId, entry.name));
      this.#options.shrunk();
      this.#done(shipment);
    });
  }

  /**
   * A segment that is not in the spool, because the last run saw it stored; or because somebody lost it, which is found
   * out before a manifest says that all is there.
   */
  expected(facts: SessionFacts, entry: SegmentEntry): void {
    const { sessionId } = facts;
    const shipment = this.#shipmentOf(facts);
    shipment.waiting++;
    this.#run(async () => {
      const key = `${shipment.prefix}/${entry.name}`;
      const found = await this.#retry(
        sessionId,
        () =>
          this.#inTurn(async () => {
            this.#options.signal.throwIfAborted();
            // Nothing here can put it there again, so its absence is for a person to hear of.
            await this.#verify(key, entry, "corrupt");
          }),
        shipment,
      );
      if (found) this.#done(shipment);
    });
  }

  /** The manifest, once every segment has been given to `segment`. */
  manifest(signed: Manifest, signedBytes: Uint8Array): void {
    const { sessionId } = signed.facts;
    const shipment = this.#shipmentOf(signed.facts);
    this.#run(async () => {
      if (shipment.waiting > 0) await this.#allSegments(shipment);
      if (this.#options.signal.aborted) return;
      let manifest = signed;
      let bytes = signedBytes;
      if (shipment.lost.length > 0) {
        const stated = await this.#retry(sessionId, async () => {
          const breaks = [...(signed.breaks ?? []), ...shipment.lost.map(breakAt)];
          ({ manifest, bytes } = await this.#options.restate(signed, breaks));
          for (const { name } of shipment.lost) await this.#options.spool.setAside(sessionId, name);
        });
        if (!stated) return;
      }
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      const object = { name: manifestName, sha256, keepMs: 0 };
      if (!(await this.#ship(sessionId, shipment, object))) return;
      const gone = await this.#retry(sessionId, async () => {
        await this.#options.forget(sessionId);
        await this.#options.spool.removeRecording(sessionId);
      });
      if (!gone) return;
      this.#shipments.delete(sessionId);
      this.#options.shrunk();
      this.#options.stored(sessionId, manifest, manifest.bytes + bytes.length);
    });
  }

  /** Resolves when nothing is left to ship, or to try again once the signal is aborted. */
  async settled(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #done(shipment: Shipment): void {
    shipment.waiting--;
    if (shipment.waiting === 0) shipment.settled?.();
  }

  #shipmentOf(facts: SessionFacts): Shipment {
    const { sessionId } = facts;
    let shipment = this.#shipments.get(sessionId);
    if (!shipment) {
      shipment = {
        prefix: objectPrefix(facts),
        retentionMs: facts.retentionMs ?? this.#options.retentionMs,
        waiting: 0,
        settled: undefined,
        troubled: false,
        lost: [],
      };
      this.#shipments.set(sessionId, shipment);
    }
    return shipment;
  }

  #allSegments(shipment: Shipment): Promise<void> {
    const { signal } = this.#options;
    return new Promise((resolve) => {
      shipment.settled = resolve;
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  /** `lost`: what the spool has of it is not what was put there. Undefined when the pipeline was stopped. */
  async #ship(
    sessionId: string,
    shipment: Shipment,
    object: ShipObject,
  ): Promise<"sent" | "lost" | undefined> {
    let damaged = 0;
    const attempt = async () => {
      try {
        await this.#attempt(sessionId, shipment, object);
      } catch (error) {
        if (isGatehouseError(error, "corrupt") && error.op === "spool.read") damaged++;
        // A manifest can be made again, by a start; of a segment the frames are gone.
        if (damaged < damagedReads || object.name === manifestName) throw error;
      }
    };
    const done = await this.#retry(sessionId, () => this.#inTurn(attempt), shipment);
    if (!done) return undefined;
    return damaged >= damagedReads ? "lost" : "sent";
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    await this.#options.health.turn();
    await this.#slots.with(work);
  }

  async #attempt(sessionId: string, { prefix, retentionMs }: Shipment, object: ShipObject): Promise<void> {
    const { spool, store, clock, health, storeTimeoutMs, signal } = this.#options;
    const key = `${prefix}/${object.name}`;
    // Many may have waited for a slot when the pipeline was stopped.
    signal.throwIfAborted();
    const bytes = object.atHand?.() ?? (await spool.read(sessionId, object.name, object.sha256));
    const retainUntilMs = this.#storeNowMs() + (retentionMs > 0 ? retentionMs + object.keepMs : 0);
    try {
      await within(clock, storeTimeoutMs, "store.create", store.create(key, bytes, { retainUntilMs }));
    } catch (error) {
      // Already there: by an attempt whose answer was lost. Whether it is the same is seen below.
      if (!isGatehouseError(error, "conflict")) {
        health.heard(error);
        throw error;
      }
    }
    await this.#verify(key, { bytes: bytes.length, sha256: object.sha256 }, "unavailable");
  }

  /**
   * What the store's clock says, by which it ends a lock. One that is a day away from this machine's is not believed, nor is
   * this machine's then: a lock cannot be taken back, and one that is too short loses the recording.
   */
  #storeNowMs(): number {
    const { clock, store } = this.#options;
    const aheadMs = store.clockAheadMs() ?? 0;
    if (Math.abs(aheadMs) > aheadMsMax)
      throw new GatehouseError({
        code: "unavailable",
        op: "pipeline.ship",
        message: `the store's clock is ${Math.round(Math.abs(aheadMs) / 3_600_000)} hours ${aheadMs > 0 ? "ahead of" : "behind"} this machine's, so it is not known until when to lock`,
        hint: "Set this machine's clock by NTP, or the store's. What waits here is sent then.",
      });
    return clock.nowMs() + aheadMs;
  }

  /** Asks the store what it has. Throws `corrupt` for something else, and what `absent` says for nothing. */
  async #verify(key: string, expected: Expected, absent: "corrupt" | "unavailable"): Promise<void> {
    const { store, clock, health, storeTimeoutMs } = this.#options;
    const found = await within(clock, storeTimeoutMs, "store.stat", store.stat(key)).catch(
      (error: unknown) => {
        health.heard(error);
        if (isGatehouseError(error, "not_found"))
          throw new GatehouseError({
            code: absent,
            op: "pipeline.ship",
            message: `the store should have ${key} and does not have it`,
          });
        throw error;
      },
    );
    health.heard();
    if (found.bytes !== expected.bytes || found.sha256 !== expected.sha256)
      throw corrupted(
        "pipeline.ship",
        `the store holds other bytes under ${key} (${found.bytes} bytes, SHA-256 ${found.sha256})`,
      );
  }

  async #retry(sessionId: string, work: () => Promise<void>, shipment?: Shipment): Promise<boolean> {
    const job = {};
    const done = await untilDone(this.#options, work, (error) => {
      const message = messageOf(error);
      this.#errors.delete(job);
      this.#errors.set(job, message);
      this.#options.log.warn("an object could not be shipped; it is kept here and tried again", {
        session: sessionId,
        error: message,
      });
      if (shipment && !shipment.troubled && isGatehouseError(error, "corrupt")) {
        shipment.troubled = true;
        this.#options.log.error("a recording is corrupt", { session: sessionId, detail: message });
        this.#options.troubled(sessionId, message);
      }
    });
    this.#errors.delete(job);
    return done !== undefined;
  }

  #run(work: () => Promise<void>): void {
    this.#running++;
    void work().finally(() => {
      this.#running--;
      if (this.#running === 0) for (const resolve of this.#idle.splice(0)) resolve();
    });
  }
}

const breakAt = ({ n, firstSeq, lastSeq, frames }: SegmentEntry): RecordingBreak => ({
  firstSeq,
  lastSeq,
  frames,
  reason: `segment ${n} is lost: it was damaged on the gateway before it was stored`,
});

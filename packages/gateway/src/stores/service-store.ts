import { createHash } from "node:crypto";
import { type Clock, GatehouseError, isGatehouseError, type Random } from "@gatehouse/kernel";
import type { ObjectStore, StoreProbe } from "@gatehouse/recording/pipeline";
import { checkKey, checkPrefix, isKey } from "./object-key.ts";
import type { ObjectService, ObjectVersion } from "./object-service.ts";
import { faultError } from "./service-fault.ts";
import { probeService } from "./service-probe.ts";
import { Strangers } from "./strangers.ts";

export type ServiceStoreOptions = { service: ObjectService; clock: Clock; random: Random };

/** For how long a reader of many ranges need not ask again which version is the first, and for how many keys. */
const firstKnownUs = 60_000_000;
const firstKnownMax = 1024;

/** An object service as a store of recordings. */
export function createServiceStore(options: ServiceStoreOptions): ObjectStore {
  return new ServiceStore(options);
}

/**
 * Holds every service to the same rules. Where versions are kept, the first one written under a key is the object: an
 * overwrite or a removal by somebody else adds a version or a marker, which is noticed and never read. Where the service
 * refuses existing keys itself, one request creates; where it does not, the key is looked for before and, with versions,
 * after: of two writers who raced, the one whose version is not the first is told `conflict`.
 */
class ServiceStore implements ObjectStore {
  readonly #service: ObjectService;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #strangers = new Strangers();
  readonly #creating = new Map<string, Promise<void>>();
  readonly #firsts = new Map<string, { version: ObjectVersion; sinceUs: number }>();
  /** The first versions of keys that were written and not yet asked for. */
  readonly #written = new Map<string, ObjectVersion>();
  /** Whether the service refuses an existing key by itself: what the last probe saw. */
  #refusesExisting = false;

  constructor(options: ServiceStoreOptions) {
    this.#service = options.service;
    this.#clock = options.clock;
    this.#random = options.random;
  }

  async create(key: string, bytes: Uint8Array, options: { retainUntilMs: number }): Promise<void> {
    const op = "store.create";
    checkKey(op, key);
    // Two of this process never race, so a service without versions and conditions has at least that.
    const before = this.#creating.get(key) ?? Promise.resolve();
    const mine = before.catch(() => {}).then(() => this.#create(op, key, bytes, options.retainUntilMs));
    this.#creating.set(key, mine);
    try {
      await mine;
    } finally {
      if (this.#creating.get(key) === mine) this.#creating.delete(key);
    }
  }

  async read(key: string, range?: { start: number; end: number }): Promise<Uint8Array> {
    const op = "store.read";
    checkKey(op, key);
    const first = this.#knownFirst(key) ?? (await this.#first(op, key));
    const start = Math.min(Math.max(0, range?.start ?? 0), first.bytes);
    const end = Math.min(range?.end ?? first.bytes, first.bytes);
    // HTTP has no empty range (RFC 9110 §14.1.2).
    if (range && end <= start) return new Uint8Array(0);
    try {
      return await this.#get(op, key, first, range && { start, end });
    } catch (error) {
      this.#firsts.delete(key);
      throw error;
    }
  }

  async stat(key: string): Promise<{ bytes: number; sha256: string }> {
    const op = "store.stat";
    checkKey(op, key);
    // Whoever has just written asks what is there: which version is the first was seen after the write.
    const first = this.#written.get(key) ?? (await this.#first(op, key));
    this.#written.delete(key);
    const { sha256 } =
      this.#service.givesSha256 === false
        ? {}
        : await this.#ask(op, key, () => this.#service.facts(key, first));
    if (sha256 !== undefined) return { bytes: first.bytes, sha256 };
    const bytes = await this.#get(op, key, first, undefined);
    return { bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
  }

  async list(prefix: string, options: { after?: string; limit?: number } = {}): Promise<string[]> {
    const op = "store.list";
    checkPrefix(op, prefix);
    const { after, limit = Number.POSITIVE_INFINITY } = options;
    const keys: string[] = [];
    if (limit <= 0) return keys;
    return this.#ask(op, prefix, async () => {
      for await (const key of this.#service.keys(prefix, after)) {
        // What a stranger put there under another name is no object of ours, nor are probes.
        if (!isKey(key) || (after !== undefined && key <= after)) continue;
        keys.push(key);
        if (keys.length >= limit) break;
      }
      return keys;
    });
  }

  async remove(key: string): Promise<void> {
    const op = "store.remove";
    checkKey(op, key);
    const { versions, markers } = await this.#ask(op, key, () => this.#service.versions(key));
    if (versions.length === 0) throw faultError(op, key, { code: "not_found", name: "none", message: "" });
    for (const version of versions) {
      const facts = await this.#ask(op, key, () => this.#service.facts(key, version));
      const untilMs = Math.max(facts.retainUntilMs, facts.lockedUntilMs);
      if (facts.held)
        throw new GatehouseError({ code: "denied", op, message: `${key} is under a legal hold` });
      if (untilMs > this.#clock.nowMs())
        throw new GatehouseError({
          code: "denied",
          op,
          message: `${key} is retained until ${new Date(untilMs).toISOString()}`,
        });
    }
    this.#firsts.delete(key);
    // The first goes last: a newer one, left alone by a failure half-way, would pass for the object.
    for (const id of [...markers, ...versions.reverse().map((version) => version.id)])
      await this.#ask(op, key, () => this.#service.remove(key, id));
  }

  async retention(key: string): Promise<{ untilMs: number; held: boolean }> {
    const op = "store.retention";
    checkKey(op, key);
    const { versions } = await this.#ask(op, key, () => this.#service.versions(key));
    if (versions.length === 0) throw faultError(op, key, { code: "not_found", name: "none", message: "" });
    let untilMs = 0;
    let held = false;
    // A stranger's later version keeps the key as well as the first does.
    for (const version of versions) {
      const facts = await this.#ask(op, key, () => this.#service.facts(key, version));
      untilMs = Math.max(untilMs, facts.retainUntilMs, facts.lockedUntilMs);
      held ||= facts.held;
    }
    return { untilMs, held };
  }

  async hold(key: string, held: boolean): Promise<"backend" | "gatehouse"> {
    const op = "store.hold";
    checkKey(op, key);
    const first = await this.#first(op, key);
    try {
      if (!(await this.#service.hold(key, first, held))) return "gatehouse";
    } catch (error) {
      const fault = this.#service.fault(error);
      if (fault.status === 501 || fault.name === "NotImplemented") return "gatehouse";
      throw faultError(op, key, fault);
    }
    // Some take a hold and keep none.
    const facts = await this.#ask(op, key, () => this.#service.facts(key, first));
    if (facts.held === held) return "backend";
    if (held) return "gatehouse";
    throw faultError(op, key, {
      code: "denied",
      name: "still-held",
      message: "the service still holds it; another hold may stand on it",
    });
  }

  clockAheadMs(): number | undefined {
    return this.#service.clockAheadMs();
  }

  async probe(): Promise<StoreProbe> {
    try {
      const { probe, refusesExisting } = await probeService({
        service: this.#service,
        clock: this.#clock,
        random: this.#random,
      });
      this.#refusesExisting = refusesExisting;
      return { ...probe, findings: [...probe.findings, ...this.#strangers.findings()] };
    } catch (error) {
      const fault = isGatehouseError(error) ? undefined : this.#service.fault(error);
      throw new GatehouseError({
        code: "unavailable",
        op: "store.probe",
        message: `the store ${this.#service.location} is not usable: ${fault ? faultError("store.probe", "the probe", { ...fault, code: "unavailable" }).message : (error as Error).message}`,
        hint:
          fault?.hint ??
          (fault?.code === "denied"
            ? "See that the credentials of this machine are valid and may write to and list the store."
            : "See that the address is right and the service answers."),
        ...(fault && { cause: new Error(fault.name), details: { service_error: fault.name } }),
      });
    }
  }

  async #create(op: string, key: string, bytes: Uint8Array, retainUntilMs: number): Promise<void> {
    const service = this.#service;
    const conflict = () => faultError(op, key, { code: "conflict", name: "exists", message: "" });
    const refuses = this.#refusesExisting;
    if (!refuses && (await this.#ask(op, key, () => service.versions(key))).versions.length > 0)
      throw conflict();
    const { id } = await this.#ask(op, key, () => service.put(key, bytes, { retainUntilMs, onlyNew: true }));
    if (refuses || id === undefined) return;
    const [first] = (await this.#ask(op, key, () => service.versions(key))).versions;
    if (first && first.id !== id) throw conflict();
    if (first && this.#written.size < firstKnownMax) this.#written.set(key, first);
  }

  #knownFirst(key: string): ObjectVersion | undefined {
    const known = this.#firsts.get(key);
    return known && this.#clock.monotonicUs() - known.sinceUs < firstKnownUs ? known.version : undefined;
  }

  async #first(op: string, key: string): Promise<ObjectVersion> {
    const { versions, markers } = await this.#ask(op, key, () => this.#service.versions(key));
    const [first] = versions;
    if (!first) throw faultError(op, key, { code: "not_found", name: "none", message: "" });
    this.#strangers.note(key, versions, markers);
    if (this.#firsts.size >= firstKnownMax) this.#firsts.delete(this.#firsts.keys().next().value as string);
    this.#firsts.set(key, { version: first, sinceUs: this.#clock.monotonicUs() });
    return first;
  }

  async #get(
    op: string,
    key: string,
    version: ObjectVersion,
    range: { start: number; end: number } | undefined,
  ): Promise<Uint8Array> {
    const bytes = await this.#ask(op, key, () => this.#service.get(key, version, range));
    const expected = range ? range.end - range.start : version.bytes;
    if (bytes.length === expected) return bytes;
    throw faultError(op, key, {
      code: "unavailable",
      name: "incomplete",
      message: `the service gave ${bytes.length} of ${expected} bytes`,
    });
  }

  async #ask<T>(op: string, key: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (isGatehouseError(error)) throw error;
      throw faultError(op, key, this.#service.fault(error));
    }
  }
}

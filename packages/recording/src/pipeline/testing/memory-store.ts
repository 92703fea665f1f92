import { createHash } from "node:crypto";
import { GatehouseError } from "@gatehouse/kernel";
import type { ObjectStore } from "../door.ts";

/** A store in memory that a test can make fail, lie or hang: `fault` is asked before each call, and may throw. */
export class MemoryStore implements ObjectStore {
  readonly objects = new Map<string, Uint8Array>();
  /** Until when each was asked to be kept. */
  readonly retained = new Map<string, number>();
  readonly held = new Set<string>();
  aheadMs: number | undefined;
  fault: (call: "create" | "read" | "stat" | "probe", key: string) => void | Promise<void> = () => {};
  /** What `create` stores in place of what it is given; `undefined` stores nothing and says that all is well. */
  stored: (bytes: Uint8Array, key: string) => Uint8Array | undefined = (bytes) => bytes;

  async create(key: string, bytes: Uint8Array, options: { retainUntilMs: number }): Promise<void> {
    await this.fault("create", key);
    if (this.objects.has(key)) throw failure("conflict", `${key} exists`);
    const kept = this.stored(bytes, key);
    this.retained.set(key, options.retainUntilMs);
    if (kept) this.objects.set(key, new Uint8Array(kept));
  }
  async read(key: string, range?: { start: number; end: number }): Promise<Uint8Array> {
    await this.fault("read", key);
    const bytes = this.objects.get(key);
    if (!bytes) throw failure("not_found", `no ${key}`);
    return range ? bytes.subarray(range.start, range.end) : bytes;
  }
  async stat(key: string): Promise<{ bytes: number; sha256: string }> {
    await this.fault("stat", key);
    const bytes = this.objects.get(key);
    if (!bytes) throw failure("not_found", `no ${key}`);
    return { bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
  }
  list(prefix: string, options: { after?: string; limit?: number } = {}): Promise<string[]> {
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix)).sort();
    const after = options.after;
    return Promise.resolve(keys.filter((key) => after === undefined || key > after).slice(0, options.limit));
  }
  remove(key: string): Promise<void> {
    this.objects.delete(key);
    return Promise.resolve();
  }
  retention(key: string): Promise<{ untilMs: number; held: boolean }> {
    if (!this.objects.has(key)) throw failure("not_found", `no ${key}`);
    return Promise.resolve({ untilMs: this.retained.get(key) ?? 0, held: this.held.has(key) });
  }
  hold(key: string, held: boolean): Promise<"backend"> {
    if (held) this.held.add(key);
    else this.held.delete(key);
    return Promise.resolve("backend");
  }
  clockAheadMs(): number | undefined {
    return this.aheadMs;
  }
  async probe() {
    await this.fault("probe", "");
    return { overwrite: "backend", deletion: "none", findings: [] } as const;
  }
}

export function failure(code: "conflict" | "not_found" | "unavailable", message: string): GatehouseError {
  return new GatehouseError({ code, op: "store.test", message });
}

import { checkLimit, GatehouseError } from "@gatehouse/kernel";
import { formatLimits } from "./format-limits.ts";

/**
 * Where a recording's objects lie: a store, a directory, a bundle, a browser's fetch. Names are bare (`000000.seg`,
 * `manifest.json`). Reading and verifying know nothing else about the place.
 */
export type RecordingSource = {
  /**
   * Every object's name, in any order. Names that the format does not know may be among them. With `after` only names above it are
   * asked for; a source that has them all at hand may give others too.
   */
  list(after?: string): Promise<readonly string[]>;
  /** The whole object. Rejects with `not_found`, or with `too_large` above `bytesMax`, before it is held in memory. */
  read(name: string, bytesMax: number): Promise<Uint8Array>;
};

/** Objects that are in memory already. */
export function memorySource(objects: ReadonlyMap<string, Uint8Array>): RecordingSource {
  return {
    list: () => Promise.resolve([...objects.keys()]),
    async read(name, bytesMax) {
      const bytes = objects.get(name);
      if (bytes === undefined) throw notFound(name);
      checkLimit("source.read", `${name}, in bytes,`, bytes.length, bytesMax);
      return bytes;
    },
  };
}

/** Twice what a recording may have: enough to find strays, and an end to a bucket full of them. */
const objectsMax = 2 * formatLimits.segmentsMax;

/**
 * One recording in an object store, below `prefix` (which ends in `/`). Asks for one byte more than the limit and no
 * more: whoever may write to the bucket must not be able to fill the gateway's memory.
 */
export function storeSource(
  store: {
    list(prefix: string, options?: { after?: string; limit?: number }): Promise<string[]>;
    read(key: string, range?: { start: number; end: number }): Promise<Uint8Array>;
  },
  prefix: string,
): RecordingSource {
  return {
    async list(from) {
      const names: string[] = [];
      let after = from === undefined ? undefined : prefix + from;
      for (;;) {
        const keys = await store.list(prefix, after === undefined ? { limit: 1000 } : { limit: 1000, after });
        for (const key of keys) names.push(key.slice(prefix.length));
        checkLimit("source.list", "the number of objects", names.length, objectsMax);
        if (keys.length === 0) return names;
        after = keys.at(-1) as string;
      }
    },
    async read(name, bytesMax) {
      const bytes = await store.read(prefix + name, { start: 0, end: bytesMax + 1 });
      checkLimit("source.read", `${name}, in bytes,`, bytes.length, bytesMax);
      return bytes;
    },
  };
}

export function notFound(name: string): GatehouseError {
  return new GatehouseError({ code: "not_found", op: "source.read", message: `no object ${name}` });
}

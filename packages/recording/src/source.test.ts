import assert from "node:assert/strict";
import { test } from "node:test";
import { GatehouseError, utf8 } from "@gatehouse/kernel";
import { memorySource, storeSource } from "./source.ts";

/** A store of many keys that answers in pages, as object stores do. */
function pagedStore(keys: readonly string[]) {
  const asked: { start: number; end: number }[] = [];
  return {
    asked,
    list: (prefix: string, options: { after?: string; limit?: number } = {}) =>
      Promise.resolve(
        keys
          .filter((key) => key.startsWith(prefix) && key > (options.after ?? ""))
          .slice(0, options.limit ?? keys.length),
      ),
    read(key: string, range?: { start: number; end: number }) {
      if (!keys.includes(key))
        return Promise.reject(new GatehouseError({ code: "not_found", op: "store.read", message: key }));
      if (range) asked.push(range);
      return Promise.resolve(utf8("0123456789").subarray(range?.start, range?.end));
    },
  };
}

test("a store's recording is listed over all pages and read below its prefix", async () => {
  const names = Array.from({ length: 2_500 }, (_, n) => `${String(n).padStart(6, "0")}.seg`);
  const store = pagedStore([...names.map((name) => `r/1/${name}`), "r/2/000000.seg"]);
  const source = storeSource(store, "r/1/");
  assert.deepEqual(await source.list(), names);
  assert.deepEqual(await source.read("000000.seg", 10), utf8("0123456789"));
  await assert.rejects(source.read("absent.seg", 10), { code: "not_found" });
});

test("no source reads more than the limit", async () => {
  const store = pagedStore(["r/1/000000.seg"]);
  await assert.rejects(storeSource(store, "r/1/").read("000000.seg", 4), { code: "too_large" });
  assert.deepEqual(store.asked, [{ start: 0, end: 5 }]);
  const memory = memorySource(new Map([["a", new Uint8Array(5)]]));
  await assert.rejects(memory.read("a", 4), { code: "too_large" });
  await assert.rejects(memory.read("b", 4), { code: "not_found" });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Target } from "../directory/mod.ts";
import { retentionPolicy } from "./mod.ts";

const day = 24 * 3_600_000;

test("a target's recordings are kept for the longest of the rules that fit it, else as the rest", async () => {
  let asked = 0;
  const labels: Record<string, Record<string, string>> = { a: { env: "prod" }, b: { env: "dev" } };
  const targets = {
    byId: async (id: string) => {
      asked++;
      return labels[id] && ({ labels: labels[id] } as unknown as Target);
    },
  };
  const keepOf = retentionPolicy({
    defaultMs: 365 * day,
    rules: [
      { labels: { env: ["prod"] }, keep: { ms: 1825 * day } },
      { labels: { env: ["dev"] }, keep: { ms: 30 * day } },
      { targets: ["web-01", "web-02"], keep: { ms: 90 * day } },
      { targets: ["web-01"], labels: { env: ["dev"] }, keep: { ms: 10 * day } },
    ],
    targets,
  });
  const days = async (id: string, name: string) => (await keepOf({ id, name })) / day;
  assert.equal(await days("a", "web-01"), 1825);
  assert.equal(await days("b", "db-01"), 30);
  assert.equal(await days("b", "web-01"), 90);
  assert.equal(await days("gone", "web-02"), 90);
  assert.equal(await days("gone", "db-02"), 365);

  asked = 0;
  const plain = retentionPolicy({ defaultMs: day, rules: [{ targets: ["x"], keep: { ms: 0 } }], targets });
  assert.deepEqual([await plain({ id: "a", name: "x" }), await plain({ id: "a", name: "y" })], [0, day]);
  assert.equal(asked, 0);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { editDistance, suggest } from "./suggest.ts";

test("the nearest word is suggested when it is near", () => {
  const known = ["idle_timeout", "max_duration", "ending_grace"];
  assert.equal(suggest("idle_timout", known), "idle_timeout");
  assert.equal(suggest("IDLE_TIMEOUT", known), "idle_timeout");
  assert.equal(suggest("duration", known), "max_duration");
  assert.equal(suggest("zzz", known), undefined);
  assert.equal(suggest("x", []), undefined);
});

test("a swap of neighbours is one mistake", () => {
  assert.equal(editDistance("mdoe", "mode"), 1);
  assert.equal(editDistance("", "abc"), 3);
  assert.equal(editDistance("kitten", "sitting"), 3);
});

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { ContentDigest } from "./content-digest.ts";

test("pieces of every size are digested as one, and the next begins anew", () => {
  const digest = new ContentDigest();
  for (const sizes of [
    [],
    [0],
    [3, 5],
    [65_535, 1],
    [65_536, 7],
    [10, 200_000, 20],
    [40_000, 40_000, 40_000],
  ]) {
    const pieces = sizes.map((size, i) => Buffer.alloc(size, i + 1));
    for (const piece of pieces) digest.update(piece);
    const whole = Buffer.concat(pieces);
    assert.equal(digest.bytes, whole.length);
    assert.deepEqual(digest.done(), {
      bytes: whole.length,
      sha256: createHash("sha256").update(whole).digest("hex"),
    });
  }
});

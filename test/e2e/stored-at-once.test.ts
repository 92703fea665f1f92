/** What follows when a recording is stored follows at once, and not when the gateway looks by itself a minute later. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { awaitStored, eventually } from "../parts/sessions.ts";
import { startStage } from "../parts/stage.ts";

/** Less than the gateway leaves between two looks. */
const soonMs = 20_000;

test("each recording has its index and its check as soon as it is stored", async () => {
  const stage = await startStage();
  try {
    const { recordings } = stage.gateway.admin;
    for (const n of [1, 2, 3]) {
      const ran = await stage.ssh(["-tt", stage.address, `echo session ${n}`]);
      assert.equal(ran.code, 0, ran.stderr);
      const { id } = await awaitStored(stage.gateway, ({ state }) => state === "ended");
      await eventually(
        `the check of session ${n}`,
        async () => (await recordings.coverage()).recordings.verified === n || undefined,
        soonMs,
      );
      await eventually(
        `the index of session ${n}`,
        async () => (await recordings.overview(id)).index ?? undefined,
        soonMs,
      );
    }
  } finally {
    await stage.close();
  }
});

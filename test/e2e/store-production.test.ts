import assert from "node:assert/strict";
import { test } from "node:test";
import { startGateway } from "../parts/gateway.ts";

test("a gateway in production does not start on a store that only Gatehouse guards", async () => {
  await assert.rejects(startGateway({ config: { mode: "production" } }), (error: Error) => {
    assert.match(error.message, /the gateway ended at its start \(1\)/);
    assert.match(
      error.message,
      /does not refuse overwriting and removing recordings before their retention ends/,
    );
    assert.match(error.message, /accept_unenforced_immutability/);
    return true;
  });
});

test("it does where the configuration accepts that in words", async () => {
  const gateway = await startGateway({
    config: { mode: "production", store: { type: "filesystem", accept_unenforced_immutability: true } },
  });
  const health = await gateway.admin.health();
  assert.equal(health.store.reachable, true);
  await gateway.close();
});

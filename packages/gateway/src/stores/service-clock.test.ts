import assert from "node:assert/strict";
import { test } from "node:test";
import { TestClock } from "@gatehouse/kernel";
import { ServiceClock } from "./service-clock.ts";

test("a service's clock is what its answers say, until this machine's is set", () => {
  const clock = new TestClock(1_800_000_000_000);
  // As a machine's that NTP sets: the monotonic clock goes on as before.
  let setMs = 0;
  const machine = { nowMs: () => clock.nowMs() + setMs, monotonicUs: () => clock.monotonicUs() };
  const service = new ServiceClock(machine);
  assert.equal(service.aheadMs, undefined);
  assert.equal(service.nowMs(), machine.nowMs());
  service.note("no date");
  service.note(undefined);
  assert.equal(service.aheadMs, undefined);

  service.note(new Date(machine.nowMs()).toUTCString());
  assert.equal(service.aheadMs, 0);
  for (const hours of [1, -1]) {
    service.note(new Date(machine.nowMs() + hours * 3_600_000).toUTCString());
    assert.equal(service.aheadMs, hours * 3_600_000 + 500);
    clock.advance(60_000);
    assert.equal(service.nowMs(), machine.nowMs() + hours * 3_600_000 + 500);
  }
  setMs = -3_600_000;
  assert.equal(service.aheadMs, undefined);
  assert.equal(service.nowMs(), machine.nowMs());
  service.note(new Date(machine.nowMs()));
  assert.equal(service.aheadMs, 0);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { AllowedHours } from "@gatehouse/contracts/rest";
import { isWithin } from "./hours.ts";

const at = (iso: string) => Date.parse(iso);

test("a window over midnight belongs to the day on which it begins", () => {
  const night: AllowedHours = { zone: "UTC", windows: [{ days: ["fri"], from: "22:00", to: "06:00" }] };
  assert.equal(isWithin(night, at("2026-02-13T21:59:59Z")), false);
  assert.equal(isWithin(night, at("2026-02-13T22:00:00Z")), true);
  assert.equal(isWithin(night, at("2026-02-14T05:59:59Z")), true);
  assert.equal(isWithin(night, at("2026-02-14T06:00:00Z")), false);
  assert.equal(isWithin(night, at("2026-02-13T03:00:00Z")), false, "the night before is Thursday's");
});

test("a whole day ends at 24:00, and a window that ends as it begins goes round the clock", () => {
  const day: AllowedHours = { zone: "UTC", windows: [{ days: ["mon"], from: "00:00", to: "24:00" }] };
  assert.equal(isWithin(day, at("2026-02-09T00:00:00Z")), true);
  assert.equal(isWithin(day, at("2026-02-09T23:59:59Z")), true);
  assert.equal(isWithin(day, at("2026-02-10T00:00:00Z")), false);
  const round: AllowedHours = { zone: "UTC", windows: [{ days: ["mon"], from: "08:00", to: "08:00" }] };
  assert.equal(isWithin(round, at("2026-02-10T07:59:00Z")), true);
  assert.equal(isWithin(round, at("2026-02-10T08:00:00Z")), false);
});

test("windows go by the clocks of their zone, through the change of summer time", () => {
  const office: AllowedHours = {
    zone: "Europe/Berlin",
    windows: [{ days: ["mon", "sun"], from: "09:00", to: "17:00" }],
  };
  assert.equal(isWithin(office, at("2026-03-23T07:59:00Z")), false);
  assert.equal(isWithin(office, at("2026-03-23T08:00:00Z")), true, "winter: UTC+1");
  assert.equal(isWithin(office, at("2026-03-29T07:00:00Z")), true, "summer, from that night on: UTC+2");
  assert.equal(isWithin(office, at("2026-03-29T15:00:00Z")), false);
});

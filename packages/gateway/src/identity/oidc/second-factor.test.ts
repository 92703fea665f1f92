import assert from "node:assert/strict";
import { test } from "node:test";
import { secondFactorAtMs } from "./second-factor.ts";

const nowMs = Date.UTC(2026, 10, 26, 12);
const atS = nowMs / 1000 - 300;

test("a provider's second factor counts only by a method that is named here, from the moment that it names", () => {
  const of = (claims: Record<string, unknown>, counts: readonly string[] = ["mfa", "otp"]) =>
    secondFactorAtMs({ iss: "i", sub: "s", ...claims }, counts, nowMs);
  assert.equal(of({ amr: ["pwd", "otp"], auth_time: atS }), atS * 1000);
  assert.equal(of({ amr: ["mfa"], auth_time: atS + 3600 }), nowMs, "nothing was proved in the future");
  assert.equal(of({ amr: ["pwd"], auth_time: atS }), undefined);
  assert.equal(of({ amr: ["pwd", "otp"], auth_time: atS }, []), undefined, "nothing counts by default");
  for (const amr of [undefined, null, "mfa", { mfa: true }, [["mfa"]], [1]])
    assert.equal(of({ amr, auth_time: atS }), undefined, JSON.stringify(amr));
  for (const auth_time of [undefined, null, String(atS), 0, -1, 1.5, Number.NaN])
    assert.equal(of({ amr: ["mfa"], auth_time }), undefined, String(auth_time));
});

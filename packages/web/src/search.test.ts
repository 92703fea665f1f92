import assert from "node:assert/strict";
import { test } from "node:test";
import { auditSearch, midnight, sessionSearch } from "./search.ts";

test("what is understood stays, the rest is left out", () => {
  assert.deepEqual(
    sessionSearch({
      q: "rm -rf",
      state: "live",
      kind: "telnet",
      from: "2026-11-22",
      to: "yesterday",
      page: 3,
    }),
    { q: "rm -rf", state: "live", from: "2026-11-22" },
  );
  assert.deepEqual(auditSearch({ event: "session.", user: 42, outcome: "refused" }), {
    event: "session.",
    user: "42",
    outcome: "refused",
  });
});

test("a day is from the viewer's midnight to the next", () => {
  const from = midnight("2026-11-22");
  const to = midnight("2026-11-22", 1);
  assert.equal(new Date(from).getHours(), 0);
  assert.equal(Date.parse(to) - Date.parse(from), 86_400_000);
});

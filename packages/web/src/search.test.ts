import assert from "node:assert/strict";
import { test } from "node:test";
import { auditSearch, everywhereSearch, labelsOf, midnight, sessionSearch } from "./search.ts";

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
  assert.deepEqual(everywhereSearch({ text: 42, mode: "fuzzy", of: "typed", kind: "sql" }), {
    text: "42",
    of: "typed",
    kind: "sql",
  });
  assert.deepEqual(
    [labelsOf("env=a=b"), labelsOf("env"), labelsOf("=x")],
    [{ env: ["a=b"] }, undefined, undefined],
  );
});

test("a day is from the viewer's midnight to the next", () => {
  const from = midnight("2026-11-22");
  const to = midnight("2026-11-22", 1);
  assert.equal(new Date(from).getHours(), 0);
  assert.equal(Date.parse(to) - Date.parse(from), 86_400_000);
});

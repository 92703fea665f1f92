import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSelector, selectorText, statementWords } from "./selector.ts";

test("labels read back as they were written, and nonsense is told", () => {
  const selector = { tier: ["db", "cache"], region: ["eu-west"] };
  assert.deepEqual(parseSelector(selectorText(selector)), selector);
  assert.deepEqual(parseSelector("  env = a=b ;\n\n*=*"), { env: ["a=b"], "*": ["*"] });
  assert.throws(() => parseSelector("tier"), /no label with its values/);
  assert.throws(() => parseSelector("tier= ,"), /no label with its values/);
});

test("a statement is a sentence", () => {
  assert.equal(
    statementWords({ actions: ["session.open"], targets: { tier: ["db"], env: ["x", "y"] }, logins: ["ro"] }),
    "go through the gate to a target, on targets with tier=db and env=x, y, as ro",
  );
  assert.equal(
    statementWords({ actions: ["audit.read", "recording.play"], targets: { "*": ["*"] } }),
    "read the audit log; play and search, on every target",
  );
});

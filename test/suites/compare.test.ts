import assert from "node:assert/strict";
import { test } from "node:test";
import { compare } from "./compare.ts";

const outcome = (name: string, passed: boolean) => ({ name, passed, said: passed ? "" : `${name} failed` });

test("what passes past the gate and not through it is a difference, with its reason or without", () => {
  const direct = [
    outcome("same", true),
    outcome("broken anyway", false),
    outcome("lucky", false),
    outcome("known", true),
    outcome("new", true),
    outcome("gone", true),
  ];
  const gated = [
    outcome("same", true),
    outcome("broken anyway", false),
    outcome("lucky", true),
    outcome("known", false),
    outcome("new", false),
  ];
  const told = compare("driver", direct, gated, [
    { suite: "driver", test: "known", why: "it is so" },
    { suite: "driver", test: "same", why: "it was so once" },
    { suite: "another", test: "new", why: "of another suite" },
  ]);
  assert.deepEqual(told, {
    suite: "driver",
    direct: { passed: 4, failed: 2 },
    gated: { passed: 2, failed: 3 },
    failedBoth: ["broken anyway"],
    known: [{ ...outcome("known", false), why: "it is so" }],
    unexplained: [outcome("new", false), { name: "gone", passed: false, said: "it did not run" }],
    passedGatedOnly: ["lucky"],
    outdated: [{ suite: "driver", test: "same", why: "it was so once" }],
  });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { renamedKill } from "./kill.ts";

const names = { targetIdOf: (id: number) => (id === 2_000_000_000 ? 7 : undefined) };

test("each KILL in a text names what the target knows, and nothing else is touched", () => {
  for (const [text, renamed] of [
    ["kill 2000000000", "kill 7"],
    ["KILL HARD QUERY 2000000000 ;", "KILL HARD QUERY 7 ;"],
    ["/* stop */ kill query id 2000000000", "/* stop */ kill query id 7"],
    [
      "kill 2000000000; select 'kill 2000000000'; kill 2000000000",
      "kill 7; select 'kill 2000000000'; kill 7",
    ],
    ["kill 12", undefined],
    ["kill user 2000000000", undefined],
    ["select 1 as kill , 2000000000", undefined],
    ["select '; kill 2000000000'", undefined],
    ["select 1 -- ; kill 2000000000", undefined],
  ] as const)
    assert.equal(renamedKill(text, names), renamed, text);
});

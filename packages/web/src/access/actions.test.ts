import assert from "node:assert/strict";
import { test } from "node:test";
import { actions } from "../../../gateway/src/access/mod.ts";
import { actionGroups, actionWords } from "./actions.ts";

test("every action that the gateway knows has words, and no other", () => {
  const worded = actionGroups.flatMap((group) => Object.keys(group.actions));
  assert.deepEqual(worded.toSorted(), [...actions].toSorted());
  assert.equal(actionWords("session.pause"), "pause what is typed");
});

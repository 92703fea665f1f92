import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decide, sessionScope } from "./mod.ts";
import { fits } from "./selector.ts";
import { questions } from "./testing/questions.ts";

test("a list shows exactly the sessions that may be seen one by one", () => {
  fc.assert(
    fc.property(questions, ({ subject, resource, context = {} }) => {
      const given = { subject, action: "session.view" as const, context };
      // Whoever may not see a session of their own is refused before any list.
      fc.pre(decide({ ...given, resource: { ownerId: subject.id } }).allowed);
      const scope = sessionScope(subject, context);
      const { ownerId, ownerTeams = [], target } = resource;
      const isListed =
        scope === "all" ||
        ownerId === scope.ownerId ||
        ownerTeams.some((team) => scope.teams.includes(team)) ||
        (target !== undefined && scope.targets.some((labels) => fits(labels, target.labels)));
      assert.equal(isListed, decide({ ...given, resource }).allowed);
    }),
    { numRuns: 5000 },
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Action, type Resource, type Role, type Subject, actions, decide, roles } from "./decide.ts";

const person = (id: string, ...given: Role[]): Subject => ({
  id,
  name: `${id}@example.com`,
  roles: given,
  leads: [],
});

/** The table of the specification, 9.3.3, written out as a reader of it would. */
const playback: readonly { role: Role; own: boolean; team: boolean; other: boolean }[] = [
  { role: "auditor", own: true, team: true, other: true },
  { role: "security-analyst", own: true, team: true, other: true },
  { role: "team-lead", own: true, team: true, other: false },
  { role: "platform-admin", own: true, team: true, other: true },
  { role: "user", own: true, team: false, other: false },
];

for (const action of ["session.view", "recording.play", "recording.export"] as const)
  test(`${action} follows the specification's table for every role and owner`, () => {
    for (const row of playback) {
      const subject: Subject = { ...person("ann", row.role), leads: ["team-1"] };
      const ask = (resource: Resource) => decide({ subject, action, resource }).allowed;
      assert.equal(ask({ ownerId: "ann", ownerTeams: [] }), row.own, `${row.role}, own`);
      assert.equal(ask({ ownerId: "bob", ownerTeams: ["team-1"] }), row.team, `${row.role}, team`);
      assert.equal(ask({ ownerId: "bob", ownerTeams: ["team-2"] }), row.other, `${row.role}, other`);
    }
  });

/** The table of the specification, 9.4.4. Nobody has more of a right to their own session than to another's. */
const moderation: readonly { role: Role; join: string; terminate: string; pause: string }[] = [
  { role: "security-analyst", join: "all", terminate: "all", pause: "all" },
  { role: "platform-admin", join: "all", terminate: "all", pause: "all" },
  { role: "team-lead", join: "team", terminate: "team", pause: "none" },
  { role: "auditor", join: "none", terminate: "none", pause: "none" },
  { role: "user", join: "none", terminate: "none", pause: "none" },
];

for (const act of ["join", "terminate", "pause"] as const)
  test(`session.${act} follows the specification's table for every role and owner`, () => {
    for (const row of moderation) {
      const subject: Subject = { ...person("ann", row.role), leads: ["team-1"] };
      const ask = (resource: Resource) => decide({ subject, action: `session.${act}`, resource }).allowed;
      assert.equal(ask({ ownerId: "ann", ownerTeams: [] }), row[act] === "all", `${row.role}, own`);
      assert.equal(ask({ ownerId: "bob", ownerTeams: ["team-1"] }), row[act] !== "none", `${row.role}, team`);
      assert.equal(ask({ ownerId: "bob", ownerTeams: ["team-2"] }), row[act] === "all", `${row.role}, other`);
    }
  });

test("a target opens only to whom it names, by role or by name, as a login it has", () => {
  const target = { allowRoles: ["security-analyst"], allowUsers: ["ann@example.com"], logins: ["root"] };
  const open = (subject: Subject, login: string) =>
    decide({ subject, action: "session.open", resource: { target, login } });
  assert.deepEqual(open(person("ann", "user"), "root"), { allowed: true, rule: "target-allows-person" });
  assert.equal(open(person("eve", "security-analyst"), "root").allowed, true);
  assert.deepEqual(open(person("ann", "user"), "postgres"), { allowed: false, rule: "deny-by-default" });
  assert.equal(open(person("bob", "user", "platform-admin"), "root").allowed, false);
});

test("what is unknown never allows", () => {
  const anyone = fc.record({
    id: fc.string(),
    name: fc.string(),
    roles: fc.subarray([...roles].filter((role) => role === "user" || role === "team-lead")),
    leads: fc.array(fc.string()),
  });
  const guarded = actions.filter(
    (action) => !["session.list", "target.list", "self.read", "self.write"].includes(action),
  );
  fc.assert(
    fc.property(anyone, fc.constantFrom<Action>(...guarded), (subject, action) => {
      assert.deepEqual(decide({ subject, action, resource: {} }), {
        allowed: false,
        rule: "deny-by-default",
      });
    }),
  );
});

test("more roles never allow less", () => {
  const resource = fc.record({ ownerId: fc.constantFrom("a", "b"), ownerTeams: fc.subarray(["t1", "t2"]) });
  fc.assert(
    fc.property(
      fc.subarray([...roles]),
      fc.constantFrom(...roles),
      fc.constantFrom(...actions),
      resource,
      (given, extra, action, about) => {
        const few: Subject = { id: "a", name: "a", roles: given, leads: ["t1"] };
        const more: Subject = { ...few, roles: [...given, extra] };
        if (decide({ subject: few, action, resource: about }).allowed)
          assert.equal(decide({ subject: more, action, resource: about }).allowed, true);
      },
    ),
  );
});

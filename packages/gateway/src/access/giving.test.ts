import assert from "node:assert/strict";
import { test } from "node:test";
import { faultOf, mayGiveRole, notTheirsToGive } from "./mod.ts";

const everywhere = { "*": ["*"] };
const admin = { id: "1", name: "zoe", roles: ["platform-admin", "user"], leads: [] };
const plain = { id: "2", name: "ann", roles: ["user"], leads: [] };
const holder = {
  ...plain,
  roles: ["user", "dba"],
  statements: [
    {
      role: "dba",
      actions: ["session.open", "session.view", "role.write"],
      targets: { tier: ["db", "cache"] },
      logins: ["postgres"],
    },
  ],
};

test("a platform administrator may give all that a role can allow, and others what they have on those targets", () => {
  const open = { actions: ["session.open"], targets: { tier: ["db"] }, logins: ["postgres"] };
  assert.equal(notTheirsToGive(admin, { ...open, targets: everywhere, logins: ["*"] }), undefined);
  assert.equal(notTheirsToGive(plain, open), "session.open");
  assert.equal(notTheirsToGive(holder, open), undefined);
  assert.equal(notTheirsToGive(holder, { ...open, targets: { tier: ["db"], site: ["b"] } }), undefined);
  assert.equal(notTheirsToGive(holder, { ...open, logins: ["postgres", "root"] }), "session.open");
  assert.equal(notTheirsToGive(holder, { ...open, logins: ["*"] }), "session.open");
  assert.equal(notTheirsToGive(holder, { ...open, targets: { tier: ["db", "web"] } }), "session.open");
  assert.equal(notTheirsToGive(holder, { ...open, targets: { tier: ["*"] } }), "session.open");
  assert.equal(notTheirsToGive(holder, { ...open, targets: everywhere }), "session.open");
  assert.equal(
    notTheirsToGive(holder, { actions: ["session.view", "session.join"], targets: { tier: ["db"] } }),
    "session.join",
  );
});

test("what was granted for a time gives nothing", () => {
  const statement = { role: "dba", actions: ["session.view"], targets: everywhere };
  const grant = {
    kind: "role",
    requestId: "r",
    untilMs: Infinity,
    role: "dba",
    statements: [statement],
  } as const;
  assert.equal(notTheirsToGive({ ...plain, grants: [grant] }, statement), "session.view");
  assert.ok(!mayGiveRole({ ...plain, grants: [grant] }, "dba"));
});

test("a role is given by who has it, or by a platform administrator", () => {
  assert.ok(mayGiveRole(admin, "anything"));
  assert.ok(mayGiveRole(holder, "dba"));
  assert.ok(!mayGiveRole(holder, "platform-admin"));
  assert.ok(!mayGiveRole(plain, "auditor"));
  assert.ok(mayGiveRole(plain, "user"));
});

test("a statement that would mean nothing, or too much, is told of", () => {
  assert.match(faultOf({ actions: ["session.fly"] }) ?? "", /no action session.fly/);
  assert.match(faultOf({ actions: ["session.view"] }) ?? "", /needs targets/);
  assert.match(faultOf({ actions: ["session.open"], targets: everywhere }) ?? "", /needs logins/);
  assert.match(faultOf({ actions: ["request.review"] }) ?? "", /policy of requests/);
  assert.equal(faultOf({ actions: ["audit.read"] }), undefined);
});

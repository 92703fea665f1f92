import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type Action,
  type Context,
  type Grant,
  type Resource,
  type Role,
  type Subject,
  actions,
  decide,
  roles,
} from "./mod.ts";
import { noonMs, questions, targetOf } from "./testing/questions.ts";

const person = (id: string, ...given: string[]): Subject => ({
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
  const target = targetOf({ allowRoles: ["security-analyst"], allowUsers: ["ann@example.com"] });
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
  const open = new Set<Action>(["session.list", "target.list", "request.list", "self.read", "self.write"]);
  const guarded = actions.filter((action) => !open.has(action));
  fc.assert(
    fc.property(anyone, fc.constantFrom<Action>(...guarded), (subject, action) => {
      assert.deepEqual(decide({ subject, action, resource: {} }), {
        allowed: false,
        rule: "deny-by-default",
      });
    }),
  );
});

test("more roles and statements never allow less, more locks never more", () => {
  fc.assert(
    fc.property(questions, questions, fc.constantFrom<string>(...roles), (question, other, extra) => {
      const { subject } = question;
      const withoutLocks = { ...question, subject: { ...subject, locks: [] } };
      const more = {
        ...withoutLocks.subject,
        roles: [...subject.roles, extra],
        statements: [...(subject.statements ?? []), ...(other.subject.statements ?? [])],
      };
      if (decide(withoutLocks).allowed) assert.equal(decide({ ...question, subject: more }).allowed, true);
      if (decide(question).allowed) assert.equal(decide(withoutLocks).allowed, true);
    }),
  );
});

test("an operator's role allows what its statement names, on targets with the labels, as the logins", () => {
  const operator: Subject = {
    ...person("ann", "web-operators"),
    statements: [
      {
        role: "web-operators",
        actions: ["session.open", "recording.play"],
        targets: { env: ["staging", "prod"], tier: ["*"] },
        logins: ["deploy"],
      },
      { role: "web-operators", actions: ["audit.read", "session.view"] },
    ],
  };
  const target = targetOf({ labels: { env: "prod", tier: "web" }, logins: ["deploy", "root"] });
  const ask = (action: Action, resource: Resource) => decide({ subject: operator, action, resource });
  assert.deepEqual(ask("session.open", { target, login: "deploy" }), {
    allowed: true,
    rule: "role-web-operators",
  });
  assert.equal(ask("session.open", { target, login: "root" }).allowed, false);
  assert.equal(ask("session.open", { target: { ...target, logins: [] }, login: "deploy" }).allowed, false);
  for (const labels of [{ env: "prod" }, { env: "dev", tier: "web" }, { tier: "web" }])
    assert.equal(ask("session.open", { target: { ...target, labels }, login: "deploy" }).allowed, false);
  assert.equal(ask("recording.play", { ownerId: "bob", target }).allowed, true);
  assert.equal(ask("recording.export", { ownerId: "bob", target }).allowed, false);
  assert.equal(ask("recording.play", { ownerId: "bob" }).allowed, false, "a target that is gone is unknown");
  assert.equal(ask("audit.read", {}).allowed, true);
  // Sessions and recordings are never meant without saying on which targets.
  assert.equal(ask("session.view", { ownerId: "bob", target }).allowed, false);
});

test("an approved request opens its target until it ends, and only where nothing else does", () => {
  const grant: Grant = {
    requestId: "r1",
    untilMs: noonMs,
    kind: "target",
    targetId: "t1",
    logins: ["root"],
  };
  const subject = { ...person("ann", "user"), grants: [grant] };
  const open = (nowMs: number | undefined, target = targetOf(), login = "root") =>
    decide({ subject, action: "session.open", resource: { target, login }, context: { nowMs } });
  assert.deepEqual(open(noonMs - 1), {
    allowed: true,
    rule: "approved-request",
    grant: { requestId: "r1", untilMs: noonMs },
  });
  assert.equal(open(noonMs).allowed, false);
  assert.equal(open(undefined).allowed, false);
  assert.equal(open(noonMs - 1, targetOf({ id: "t2" })).allowed, false);
  assert.equal(open(noonMs - 1, targetOf({ logins: ["root", "deploy"] }), "deploy").allowed, false);
  assert.deepEqual(open(noonMs - 1, targetOf({ allowRoles: ["user"] })), {
    allowed: true,
    rule: "target-allows-person",
  });
});

test("a role on request counts as long as it lasts, and not while it is locked", () => {
  const grant: Grant = { requestId: "r1", untilMs: noonMs, kind: "role", role: "auditor", statements: [] };
  const ask = (subject: Subject, nowMs: number) =>
    decide({ subject, action: "audit.read", resource: {}, context: { nowMs } });
  const subject = { ...person("ann", "user"), grants: [grant] };
  assert.deepEqual(ask(subject, noonMs - 1), {
    allowed: true,
    rule: "audit-log-for-reviewers",
    grant: { requestId: "r1", untilMs: noonMs },
  });
  assert.equal(ask(subject, noonMs).allowed, false);
  const locks = [{ on: "role" as const, name: "auditor", reason: "abuse" }];
  assert.deepEqual(ask({ ...subject, locks }, noonMs - 1), { allowed: false, rule: "deny-by-default" });
});

test("a lock refuses whom or what it names, says why, and is over at its end", () => {
  const target = targetOf({ allowRoles: ["user"] });
  const ask = (
    lock: { on: "user" | "role" | "target" | "login" | "address"; name: string },
    action: Action,
  ) =>
    decide({
      subject: { ...person("ann", "user"), locks: [{ ...lock, reason: "lost laptop", untilMs: noonMs }] },
      action,
      resource: { target, login: "root" },
      context: { nowMs: noonMs - 1, remoteAddress: "10.0.0.7" },
    });
  const refused = {
    allowed: false,
    rule: "locked",
    wouldAllow: "target-allows-person",
    because: "you are locked out until 2026-02-09T12:00:00.000Z: lost laptop",
  };
  assert.deepEqual(ask({ on: "user", name: "ann@example.com" }, "session.open"), refused);
  assert.equal(ask({ on: "user", name: "ann@example.com" }, "self.read").rule, "locked");
  assert.equal(ask({ on: "role", name: "user" }, "self.read").rule, "locked");
  assert.equal(ask({ on: "address", name: "10.0.0.0/24" }, "self.read").rule, "locked");
  assert.equal(ask({ on: "target", name: "web-01" }, "session.open").rule, "locked");
  assert.equal(ask({ on: "target", name: "web-01" }, "self.read").allowed, true);
  assert.equal(ask({ on: "login", name: "root" }, "session.open").rule, "locked");
  for (const other of [
    { on: "user", name: "bob@example.com" },
    { on: "role", name: "auditor" },
    { on: "address", name: "10.0.1.0/24" },
    { on: "target", name: "web-02" },
    { on: "login", name: "deploy" },
  ] as const)
    assert.equal(ask(other, "session.open").allowed, true, `${other.on} ${other.name}`);
  const over: Subject = {
    ...person("ann", "user"),
    locks: [{ on: "user", name: "ann@example.com", reason: "", untilMs: noonMs }],
  };
  const self = { subject: over, action: "self.read", resource: {} } as const;
  assert.equal(decide({ ...self, context: { nowMs: noonMs } }).allowed, true);
  assert.equal(decide(self).allowed, false, "an unknown time does not end a lock");
});

test("a target's hours, networks and second factor limit sessions on it", () => {
  const open = (policy: Parameters<typeof targetOf>[0], context: Context, mfaAtMs?: number) =>
    decide({
      subject: { ...person("ann", "user"), proof: { mfaAtMs } },
      action: "session.open",
      resource: { target: targetOf({ allowRoles: ["user"], ...policy }), login: "root" },
      context,
    }).rule;
  const yes = "target-allows-person";
  const hours = {
    zone: "Europe/Berlin",
    windows: [{ days: ["mon" as const], from: "08:00", to: "13:00" }],
  };
  assert.equal(open({ policy: { hours } }, { nowMs: noonMs - 1 }), yes);
  assert.equal(open({ policy: { hours } }, { nowMs: noonMs }), "outside-allowed-hours");
  assert.equal(open({ policy: { hours } }, {}), "outside-allowed-hours");
  const networks = ["10.0.0.0/8"];
  assert.equal(open({ policy: { networks } }, { remoteAddress: "10.9.9.9" }), yes);
  assert.equal(open({ policy: { networks } }, { remoteAddress: "11.0.0.1" }), "outside-allowed-networks");
  assert.equal(open({ policy: { networks } }, {}), "outside-allowed-networks");
  const factor = { policy: { mfaWithinMinutes: 10 } };
  assert.equal(open(factor, { nowMs: noonMs }, noonMs - 600_000), yes);
  assert.equal(open(factor, { nowMs: noonMs }, noonMs - 600_001), "second-factor-too-old");
  assert.equal(open(factor, { nowMs: noonMs }), "second-factor-too-old");
  assert.equal(open(factor, {}, noonMs), "second-factor-too-old");
});

test("a token does only what it is for", () => {
  const ask = (action: Action, scopes: readonly string[] | undefined) =>
    decide({ subject: { ...person("ann", "auditor"), proof: { scopes } }, action, resource: {} });
  assert.equal(ask("audit.read", undefined).allowed, true);
  assert.equal(ask("audit.read", ["audit.read"]).allowed, true);
  assert.equal(ask("audit.read", ["audit.*"]).allowed, true);
  assert.deepEqual(ask("audit.read", []), {
    allowed: false,
    rule: "outside-the-token-scopes",
    wouldAllow: "audit-log-for-reviewers",
    because: "the token that you use is not for audit.read",
  });
  assert.equal(ask("audit.read", ["audit", "aud*", "session.*", "*"]).allowed, false);
  assert.equal(ask("lock.write", ["lock.write"]).allowed, false, "a scope allows nothing by itself");
});

test("a recording under four eyes opens only with somebody's approval, for that recording and that time", () => {
  const ask = (grants: readonly Grant[], action: Action = "recording.play") =>
    decide({
      subject: { ...person("ann", "platform-admin"), grants },
      action,
      resource: { ownerId: "ann", sessionId: "s1", approvals: 1 },
      context: { nowMs: noonMs },
    });
  const grant = { requestId: "r1", untilMs: noonMs + 1, kind: "playback" as const, sessionId: "s1" };
  assert.deepEqual(ask([]), {
    allowed: false,
    rule: "second-person-needed",
    wouldAllow: "all-recordings-for-reviewers",
    because: "this recording is opened only when somebody else has approved it",
  });
  assert.equal(ask([], "session.view").allowed, true);
  for (const action of ["recording.play", "recording.export", "recording.view_input"] as const)
    assert.equal(ask([grant], action).allowed, true);
  assert.equal(ask([{ ...grant, sessionId: "s2" }]).allowed, false);
  assert.equal(ask([{ ...grant, untilMs: noonMs }]).allowed, false);
  const stranger = { ...person("bob", "user"), grants: [grant] };
  const resource = { ownerId: "ann", sessionId: "s1", approvals: 1 };
  assert.equal(
    decide({ subject: stranger, action: "recording.play", resource, context: { nowMs: noonMs } }).rule,
    "deny-by-default",
    "an approval opens nothing to whom it is not open anyway",
  );
});

test("nobody reviews what they asked for, and team leads only where they are asked to", () => {
  const reviewers = { roles: ["platform-admin"], users: ["zoe@example.com"], teamLeads: true };
  const request = { askers: { roles: ["user"], users: [] }, reviewers };
  const review = (subject: Subject, more: Resource = {}) =>
    decide({
      subject,
      action: "request.review",
      resource: { ownerId: "ann", ownerTeams: ["t1"], request, ...more },
    }).allowed;
  assert.equal(review(person("ann", "platform-admin")), false);
  assert.equal(review(person("bob", "platform-admin")), true);
  assert.equal(review(person("zoe", "user")), true);
  assert.equal(review(person("bob", "auditor")), false);
  const lead = { ...person("lea", "team-lead"), leads: ["t1"] };
  assert.equal(review(lead), true);
  assert.equal(review({ ...lead, leads: ["t2"] }), false);
  const strict = { ...request, reviewers: { ...reviewers, teamLeads: false } };
  assert.equal(review(lead, { request: strict }), false);
});

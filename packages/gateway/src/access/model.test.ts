/**
 * The decision against a plain model: a table that a person could fill in by hand, read by code that knows nothing of
 * the rules. Where the two differ, one of them is wrong.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Grant, type Question, type RoleStatement, type Subject, actions, decide } from "./mod.ts";
import { questions } from "./testing/questions.ts";

type Reach = "all" | "own" | "team" | "asked" | "reviewed" | "everybody" | "on the target";
const reviewing = ["auditor", "security-analyst", "platform-admin"];
const security = ["security-analyst", "platform-admin"];

/** Action: which roles reach what. `*` is every role, and nobody's too. */
const table: Record<string, readonly [roles: readonly string[], reach: Reach][]> = {
  "session.open": [[["*"], "on the target"]],
  "session.list": [[["*"], "everybody"]],
  "session.view": [
    [reviewing, "all"],
    [["*"], "own"],
    [["team-lead"], "team"],
  ],
  "recording.play": [
    [reviewing, "all"],
    [["*"], "own"],
    [["team-lead"], "team"],
  ],
  "recording.export": [
    [reviewing, "all"],
    [["*"], "own"],
    [["team-lead"], "team"],
  ],
  "recording.hold": [[["auditor", "platform-admin"], "all"]],
  "recording.acknowledge": [[reviewing, "all"]],
  "recording.rewrap": [[["platform-admin"], "all"]],
  "retention.confirm": [[["platform-admin"], "all"]],
  "recording.view_input": [
    [reviewing, "all"],
    [["*"], "own"],
  ],
  "session.join": [
    [security, "all"],
    [["team-lead"], "team"],
  ],
  "session.terminate": [
    [security, "all"],
    [["team-lead"], "team"],
  ],
  "session.pause": [[security, "all"]],
  "session.review": [[security, "all"]],
  "target.list": [[["*"], "everybody"]],
  "target.write": [[["platform-admin"], "all"]],
  "target.trust": [[["platform-admin"], "all"]],
  "credential.write": [[["platform-admin"], "all"]],
  "person.read": [[reviewing, "all"]],
  "person.write": [[["platform-admin"], "all"]],
  "team.read": [[reviewing, "all"]],
  "team.write": [[["platform-admin"], "all"]],
  "role.read": [[reviewing, "all"]],
  "role.write": [[["platform-admin"], "all"]],
  "lock.read": [[reviewing, "all"]],
  "lock.write": [[security, "all"]],
  "request.create": [[["*"], "asked"]],
  "request.list": [[["*"], "everybody"]],
  "request.view": [
    [reviewing, "all"],
    [["*"], "own"],
    [["*"], "reviewed"],
  ],
  "request.review": [[["*"], "reviewed"]],
  "access.explain": [[reviewing, "all"]],
  "audit.read": [[reviewing, "all"]],
  "health.read": [[reviewing, "all"]],
  "self.read": [[["*"], "everybody"]],
  "self.write": [[["*"], "everybody"]],
};

function reaches(reach: Reach, { subject, action, resource }: Question): boolean {
  const { ownerId, ownerTeams = [], target, login, request } = resource;
  const named = (people: { roles: readonly string[]; users: readonly string[] }) =>
    people.users.some((user) => user === subject.name) ||
    people.roles.some((role) => subject.roles.some((own) => own === role));
  const leads = () => ownerTeams.filter((team) => subject.leads.indexOf(team) >= 0).length > 0;
  if (reach === "all" || reach === "everybody") return true;
  if (reach === "own") return ownerId === subject.id;
  if (reach === "team") return leads();
  if (reach === "asked") return request ? named(request.askers) : false;
  if (reach === "reviewed") {
    if (!request || ownerId === undefined || ownerId === subject.id) return false;
    const { gives } = request;
    const has = (role: string) => subject.roles.indexOf(role) >= 0;
    if (action === "request.review" && gives !== undefined && !has(gives) && !has("platform-admin"))
      return false;
    const asLead = request.reviewers.teamLeads && subject.roles.indexOf("team-lead") >= 0 && leads();
    return named(request.reviewers) || asLead;
  }
  if (!target || !login || target.logins.indexOf(login) < 0) return false;
  return named({ roles: target.allowRoles, users: target.allowUsers });
}

function byTable(question: Question): boolean {
  return (table[question.action] ?? []).some(
    ([roles, reach]) =>
      (roles[0] === "*" || question.subject.roles.some((role) => roles.indexOf(role) >= 0)) &&
      reaches(reach, question),
  );
}

function byStatement(one: RoleStatement, { action, resource: { target, login } }: Question): boolean {
  if (one.actions.indexOf(action) < 0 || action === "request.create" || action === "request.review")
    return false;
  const about = action.split(".")[0];
  if (!one.targets) return about !== "session" && about !== "recording";
  if (!target || Object.keys(one.targets).length === 0) return false;
  for (const [label, values] of Object.entries(one.targets)) {
    const has = label === "*" ? "*" : target.labels[label];
    if (has === undefined || (values.indexOf(has) < 0 && values.indexOf("*") < 0)) return false;
  }
  if (action !== "session.open") return true;
  if (!login || target.logins.indexOf(login) < 0) return false;
  return (one.logins ?? []).indexOf(login) >= 0 || (one.logins ?? []).indexOf("*") >= 0;
}

function standing(question: Question): boolean {
  return byTable(question) || (question.subject.statements ?? []).some((one) => byStatement(one, question));
}

function byGrant(grant: Grant, question: Question): boolean {
  const { subject, action, resource, context } = question;
  if (context?.nowMs === undefined || context.nowMs >= grant.untilMs) return false;
  if (grant.kind === "playback") return false;
  if (grant.kind === "target") {
    const { target, login = "" } = resource;
    if (action !== "session.open" || target?.id !== grant.targetId) return false;
    return grant.logins.indexOf(login) >= 0 && target.logins.indexOf(login) >= 0;
  }
  for (const lock of subject.locks ?? [])
    if (lock.on === "role" && lock.name === grant.role && (lock.untilMs ?? Infinity) > context.nowMs)
      return false;
  if (action === "request.review" && resource.request?.gives !== undefined) return false;
  const asRole: Subject = {
    id: subject.id,
    name: subject.name,
    leads: subject.leads,
    roles: [grant.role],
    statements: grant.statements,
  };
  return standing({ ...question, subject: asRole });
}

function forbidden({ subject, action, resource, context = {} }: Question): boolean {
  const { nowMs, remoteAddress = "" } = context;
  const address = remoteAddress.replace("::ffff:", "");
  for (const lock of subject.locks ?? []) {
    if (lock.untilMs !== undefined && nowMs !== undefined && nowMs >= lock.untilMs) continue;
    const opens = action === "session.open";
    if (lock.on === "user" && lock.name === subject.name) return true;
    if (lock.on === "role" && subject.roles.indexOf(lock.name) >= 0) return true;
    if (lock.on === "target" && opens && lock.name === resource.target?.name) return true;
    if (lock.on === "login" && opens && lock.name === resource.login) return true;
    if (lock.on === "address" && lock.name === "192.0.2.7" && address === "192.0.2.7") return true;
    if (lock.on === "address" && lock.name === "10.0.0.0/8" && address.startsWith("10.")) return true;
    if (lock.on === "address" && lock.name === "2001:db8::/32" && address.startsWith("2001:db8:"))
      return true;
  }
  const scopes = subject.proof?.scopes;
  if (scopes && scopes.indexOf(action) < 0 && scopes.indexOf(`${action.split(".")[0]}.*`) < 0) return true;
  if (action === "session.review" && (resource.ownerId ?? subject.id) === subject.id) return true;
  if (action.startsWith("recording.") && resource.approvals === 1) {
    const approved = (subject.grants ?? []).filter(
      (one) =>
        one.kind === "playback" && one.sessionId === resource.sessionId && (nowMs ?? Infinity) < one.untilMs,
    );
    if (approved.length === 0) return true;
  }
  if (action !== "session.open" || !resource.target) return false;
  const { hours, networks, mfaWithinMinutes } = resource.target.policy;
  if (hours) {
    const [window] = hours.windows;
    // The world's noon is a Monday, and its moments are minutes apart: it is Monday in both zones.
    const eastMs = hours.zone === "UTC" ? 0 : 5.5 * 3_600_000;
    const clock = new Date((nowMs ?? 0) + eastMs).toISOString().slice(11, 16);
    if (nowMs === undefined || window?.days[0] !== "mon" || clock < window.from || clock >= window.to)
      return true;
  }
  const inside = {
    "10.0.0.0/8": address.startsWith("10."),
    "2001:db8::/32": address.startsWith("2001:db8:"),
  };
  if (networks && !networks.some((network) => inside[network as keyof typeof inside])) return true;
  if (mfaWithinMinutes === undefined) return false;
  const mfaAtMs = subject.proof?.mfaAtMs;
  return nowMs === undefined || mfaAtMs === undefined || (nowMs - mfaAtMs) / 60_000 > mfaWithinMinutes;
}

test("the table of the model has a line for every action", () => {
  assert.deepEqual(Object.keys(table).sort(), [...actions].sort());
});

test("the decision is what the plain model says", () => {
  let allowed = 0;
  fc.assert(
    fc.property(questions, (question) => {
      const permitted =
        standing(question) || (question.subject.grants ?? []).some((grant) => byGrant(grant, question));
      const expected = permitted && !forbidden(question);
      const decision = decide(question);
      assert.equal(decision.allowed, expected, decision.rule);
      // Why it is refused is told only to who would be allowed.
      assert.equal(decision.wouldAllow !== undefined, permitted && !expected);
      assert.equal(decision.grant !== undefined, expected && !standing(question));
      if (expected) allowed++;
    }),
    { numRuns: 20_000 },
  );
  assert.ok(allowed > 2000, `the questions are worth asking: ${allowed} were allowed`);
});

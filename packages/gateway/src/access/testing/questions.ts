import fc from "fast-check";
import {
  type Action,
  type Grant,
  type Lock,
  type Question,
  type Resource,
  type RoleStatement,
  type Subject,
  type TargetFacts,
  actions,
  roles,
} from "../mod.ts";

export function targetOf(facts: Partial<TargetFacts> = {}): TargetFacts {
  return {
    id: "t1",
    name: "web-01",
    protocol: "ssh",
    labels: {},
    logins: ["root"],
    allowRoles: [],
    allowUsers: [],
    policy: {},
    ...facts,
  };
}

/** A Monday, 12:00 in UTC. */
export const noonMs = Date.UTC(2026, 1, 9, 12);

// Few names, so that questions often meet what they ask about.
const person = fc.constantFrom("ann", "bob");
const team = fc.constantFrom("t-web", "t-db");
const login = fc.constantFrom("root", "deploy");
const targetName = fc.constantFrom("web-01", "db-01");
const role = fc.constantFrom<string>(...roles, "web-operators", "db-readers");
const moment = fc.constantFrom(noonMs - 60_000, noonMs, noonMs + 60_000);
const labels = fc.dictionary(fc.constantFrom("env", "tier"), fc.constantFrom("prod", "web"), { maxKeys: 2 });
const selector = fc.oneof(
  fc.constant({ "*": ["*"] }),
  fc.dictionary(fc.constantFrom("env", "tier"), fc.subarray(["prod", "web", "*"], { minLength: 1 }), {
    maxKeys: 2,
  }),
);
const action = fc.constantFrom<Action>(...actions);

const statement: fc.Arbitrary<RoleStatement> = fc
  .record(
    {
      role: fc.constantFrom("web-operators", "db-readers"),
      actions: fc.array(action, { minLength: 1, maxLength: 4 }),
      targets: selector,
      logins: fc.subarray(["root", "deploy", "*"], { minLength: 1 }),
    },
    { requiredKeys: ["role", "actions"] },
  )
  .map((made) => made as RoleStatement);

const grant: fc.Arbitrary<Grant> = fc.oneof(
  fc.record({
    requestId: fc.constant("r1"),
    untilMs: moment,
    kind: fc.constant("target" as const),
    targetId: fc.constantFrom("web-01", "db-01"),
    logins: fc.subarray(["root", "deploy"]),
  }),
  fc.record({
    requestId: fc.constant("r2"),
    untilMs: moment,
    kind: fc.constant("role" as const),
    role,
    statements: fc.array(statement, { maxLength: 2 }),
  }),
  fc.record({
    requestId: fc.constant("r3"),
    untilMs: moment,
    kind: fc.constant("playback" as const),
    sessionId: fc.constantFrom("s1", "s2"),
  }),
);

const lockOn = (on: Lock["on"], name: fc.Arbitrary<string>): fc.Arbitrary<Lock> =>
  fc.record(
    { on: fc.constant(on), name, reason: fc.constant("because"), untilMs: moment },
    { requiredKeys: ["on", "name", "reason"] },
  );
const lock = fc.oneof(
  lockOn("user", person),
  lockOn("role", role),
  lockOn("target", targetName),
  lockOn("login", login),
  lockOn("address", fc.constantFrom("10.0.0.0/8", "192.0.2.7", "2001:db8::/32")),
);

const few = { maxLength: 2 };
const subject: fc.Arbitrary<Subject> = fc.record({
  id: person,
  name: person,
  roles: fc.array(role, { maxLength: 3 }),
  leads: fc.array(team, few),
  statements: fc.array(statement, few),
  grants: fc.array(grant, few),
  locks: fc.oneof(
    { weight: 3, arbitrary: fc.constant<Lock[]>([]) },
    { weight: 1, arbitrary: fc.array(lock, few) },
  ),
  proof: fc.oneof(
    { weight: 2, arbitrary: fc.constant({}) },
    {
      weight: 2,
      arbitrary: fc.record(
        {
          mfaAtMs: moment,
          scopes: fc.subarray(["session.*", "recording.play", "self.read", "request.*", "person.read"]),
        },
        { requiredKeys: [] },
      ),
    },
  ),
});

const people = fc.record({ roles: fc.array(role, few), users: fc.array(person, { maxLength: 1 }) });

// Beginning and end at the world's moments, here and five and a half hours east.
const windows = fc
  .tuple(
    fc.constantFrom("mon" as const, "tue" as const),
    fc.constantFrom("08:00", "12:00", "17:30"),
    fc.constantFrom("12:00", "17:30", "18:00", "24:00"),
  )
  .filter(([, from, to]) => from < to)
  .map(([day, from, to]) => [{ days: [day], from, to }]);
const policy = fc.record(
  {
    networks: fc.subarray(["10.0.0.0/8", "2001:db8::/32"], { minLength: 1 }),
    mfaWithinMinutes: fc.constantFrom(1, 5),
    hours: fc.record({ zone: fc.constantFrom("UTC", "Asia/Kolkata"), windows }),
  },
  { requiredKeys: [] },
);

const target: fc.Arbitrary<TargetFacts> = targetName.chain((name) =>
  fc
    .record({
      labels,
      logins: fc.subarray(["root", "deploy"]),
      allowRoles: fc.array(role, few),
      allowUsers: fc.array(person, { maxLength: 1 }),
      policy: fc.oneof({ weight: 2, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: policy }),
    })
    .map((facts) => targetOf({ id: name, name, ...facts })),
);

const resource: fc.Arbitrary<Resource> = fc.record(
  {
    ownerId: person,
    ownerTeams: fc.array(team, few),
    target,
    login,
    sessionId: fc.constantFrom("s1", "s2"),
    approvals: fc.constantFrom(0, 1),
    request: fc.record(
      {
        askers: people,
        reviewers: fc.record({ roles: fc.array(role, few), users: fc.constant([]), teamLeads: fc.boolean() }),
        gives: role,
      },
      { requiredKeys: ["askers", "reviewers"] },
    ),
  },
  { requiredKeys: [] },
);

/** Questions about a small world, where people, targets, labels and moments often meet. */
export const questions: fc.Arbitrary<Question> = fc.record({
  subject,
  action,
  resource,
  context: fc.record(
    {
      nowMs: moment,
      remoteAddress: fc.constantFrom("10.1.2.3", "::ffff:10.1.2.3", "192.0.2.7", "2001:db8::1"),
    },
    { requiredKeys: [] },
  ),
});

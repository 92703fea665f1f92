/** The roles of the specification, 9.3.3 and 9.4.4. `user` is everybody. */
export const roles = ["platform-admin", "security-analyst", "auditor", "team-lead", "user"] as const;
export type Role = (typeof roles)[number];

/** Everything that can be asked for. A new route or protocol needs an action here before it can be reached. */
export const actions = [
  "session.open", // go through the gate to a target
  "session.list", // see sessions at all; which ones is `session.view`
  "session.view", // that a session happened, and its facts
  "session.join", // look on while it is live
  "session.pause", // stop its input, and let it pass again
  "session.terminate",
  "recording.play",
  "recording.export",
  "recording.view_input", // what was typed, beside what was shown
  "target.list",
  "target.write",
  "target.trust", // accept a target's host key
  "credential.write",
  "person.read",
  "person.write",
  "audit.read",
  "health.read",
  "self.read",
  "self.write",
] as const;
export type Action = (typeof actions)[number];

/** Who asks. */
export type Subject = {
  id: string;
  name: string;
  roles: readonly Role[];
  /** Ids of the teams that this person leads. */
  leads: readonly string[];
};

/** About what. A field that the question leaves out is unknown, and unknown never allows. */
export type Resource = {
  /** The person whom it belongs to: whose session, whose account. */
  ownerId?: string | undefined;
  /** Ids of the owner's teams. */
  ownerTeams?: readonly string[] | undefined;
  /** For `session.open`: who may use the target, and as whom. */
  target?:
    | { allowRoles: readonly string[]; allowUsers: readonly string[]; logins: readonly string[] }
    | undefined;
  login?: string | undefined;
};

export type Question = { subject: Subject; action: Action; resource: Resource };

/** The answer, with the name of the rule that decided, for the audit log and for `access explain`. */
export type Decision = { allowed: boolean; rule: string };

type Rule = {
  /** Printed to people: says in words why. */
  name: string;
  actions: readonly Action[];
  when(subject: Subject, resource: Resource): boolean;
};

const has = (subject: Subject, ...wanted: Role[]) => wanted.some((role) => subject.roles.includes(role));
const owns = (subject: Subject, resource: Resource) =>
  resource.ownerId !== undefined && resource.ownerId === subject.id;

const leadsOwner = (subject: Subject, resource: Resource) =>
  has(subject, "team-lead") && (resource.ownerTeams ?? []).some((team) => subject.leads.includes(team));

/** First match allows; where none matches the answer is no. There are no rules that deny: order cannot matter. */
const rules: readonly Rule[] = [
  {
    name: "target-allows-person",
    actions: ["session.open"],
    when: (subject, { target, login }) =>
      target !== undefined &&
      login !== undefined &&
      target.logins.includes(login) &&
      (target.allowUsers.includes(subject.name) ||
        subject.roles.some((role) => target.allowRoles.includes(role))),
  },
  {
    name: "all-recordings-for-reviewers",
    actions: ["session.view", "recording.play", "recording.export", "recording.view_input"],
    when: (subject) => has(subject, "auditor", "security-analyst", "platform-admin"),
  },
  {
    name: "own-recordings",
    actions: ["session.view", "recording.play", "recording.export", "recording.view_input"],
    when: owns,
  },
  {
    name: "team-recordings-for-team-lead",
    actions: ["session.view", "recording.play", "recording.export"],
    when: leadsOwner,
  },
  {
    name: "moderation-for-security",
    actions: ["session.join", "session.pause", "session.terminate"],
    when: (subject) => has(subject, "security-analyst", "platform-admin"),
  },
  {
    name: "team-sessions-for-team-lead",
    actions: ["session.join", "session.terminate"],
    when: leadsOwner,
  },
  {
    name: "everybody-lists-what-they-may-see",
    actions: ["session.list", "target.list", "self.read", "self.write"],
    when: () => true,
  },
  {
    name: "administration-for-platform-admin",
    actions: ["target.write", "target.trust", "credential.write", "person.read", "person.write"],
    when: (subject) => has(subject, "platform-admin"),
  },
  {
    name: "people-for-reviewers",
    actions: ["person.read"],
    when: (subject) => has(subject, "auditor", "security-analyst"),
  },
  {
    name: "audit-log-for-reviewers",
    actions: ["audit.read"],
    when: (subject) => has(subject, "auditor", "security-analyst", "platform-admin"),
  },
  {
    name: "health-for-operators",
    actions: ["health.read"],
    when: (subject) => has(subject, "platform-admin", "security-analyst", "auditor"),
  },
];

/** Allowed or denied, by which rule. Pure: the same question has the same answer. */
export function decide({ subject, action, resource }: Question): Decision {
  for (const rule of rules)
    if (rule.actions.includes(action) && rule.when(subject, resource))
      return { allowed: true, rule: rule.name };
  return { allowed: false, rule: "deny-by-default" };
}

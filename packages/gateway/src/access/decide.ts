import {
  type AccessPolicy,
  type Statement,
  builtInRoles,
  type lockedThings,
} from "@gatehouse/contracts/rest";
import { refusalOf } from "./restrictions.ts";
import { allowsBy } from "./statements.ts";

/** The roles of the specification, 9.3.3 and 9.4.4. `user` is everybody. */
export const roles = builtInRoles;
export type Role = (typeof roles)[number];

/** Everything that can be asked for. A new route or protocol needs an action here before it can be reached. */
export const actions = [
  "session.open", // go through the gate to a target
  "session.list", // see sessions at all; which ones is `session.view`
  "session.view", // that a session happened, and its facts
  "session.join", // look on while it is live
  "session.pause", // stop its input, and let it pass again
  "session.terminate",
  "session.review", // let a statement of it be run that waits for that
  "recording.play",
  "recording.export",
  "recording.hold", // keep it whatever its retention, and let go of it
  "recording.acknowledge", // take note of one that was found damaged, which ends its alarm
  "recording.rewrap", // wrap the keys of all for the recipients of today
  "retention.confirm", // vouch for the clock by which what is old is removed
  "recording.view_input", // what was typed, beside what was shown
  "target.list",
  "target.write",
  "target.trust", // accept a target's host key
  "credential.write",
  "person.read",
  "person.write",
  "team.read",
  "team.write",
  "role.read",
  "role.write",
  "lock.read",
  "lock.write",
  "request.create", // ask for what one may not do, or not alone
  "request.list", // see requests at all; which ones is `request.view`
  "request.view",
  "request.review", // approve or deny what somebody else asked for
  "access.explain", // ask what somebody may do, and why
  "audit.read",
  "health.read",
  "self.read",
  "self.write",
] as const;
export type Action = (typeof actions)[number];

/** What an operator-defined role allows, with the role's name. */
export type RoleStatement = Statement & { role: string };

/** Something asked for and approved, until a moment. */
export type Grant = { requestId: string; untilMs: number } & (
  | { kind: "target"; targetId: string; logins: readonly string[] }
  | { kind: "role"; role: string; statements: readonly RoleStatement[] }
  | { kind: "playback"; sessionId: string }
);

/** Somebody or something that is shut for now. */
export type Lock = {
  on: (typeof lockedThings)[number];
  /** A name; for `address` an address or a network. */
  name: string;
  reason: string;
  untilMs?: number | undefined;
};

/** Who asks, with all that their rights come from. */
export type Subject = {
  id: string;
  name: string;
  /** Built-in roles and the operator's own. */
  roles: readonly string[];
  /** Ids of the teams that this person leads. */
  leads: readonly string[];
  /** What the operator-defined ones among the roles allow. */
  statements?: readonly RoleStatement[];
  grants?: readonly Grant[];
  /** Every lock there is. */
  locks?: readonly Lock[];
  /** How they showed who they are, this time. */
  proof?: Proof;
};

/** What is absent is unknown, and counts against whoever asks. */
export type Proof = {
  /** When they last gave a second factor. */
  mfaAtMs?: number | undefined;
  /** What the token that asks is for, as actions or `session.*`; absent where no token narrows. */
  scopes?: readonly string[] | undefined;
};

/** A target as access knows it. */
export type TargetFacts = {
  id: string;
  name: string;
  protocol: string;
  labels: Readonly<Record<string, string>>;
  logins: readonly string[];
  allowRoles: readonly string[];
  allowUsers: readonly string[];
  policy: AccessPolicy;
};

/** About what. A field that the question leaves out is unknown, and unknown never allows. */
export type Resource = {
  /** The person whom it belongs to: whose session, whose account, whose request. */
  ownerId?: string | undefined;
  /** Ids of the owner's teams. */
  ownerTeams?: readonly string[] | undefined;
  /** The target that is meant, or that the session was on. */
  target?: TargetFacts | undefined;
  login?: string | undefined;
  sessionId?: string | undefined;
  /** Of a recording: how many others must have approved that it is opened. */
  approvals?: number | undefined;
  /** Of a session: whether whoever sees it has to see their own name over it. */
  watermark?: boolean | undefined;
  /** Of a request: who may ask for this, who decides, and the role that it would give. */
  request?:
    | { askers: People; reviewers: People & { teamLeads: boolean }; gives?: string | undefined }
    | undefined;
};
export type People = { roles: readonly string[]; users: readonly string[] };

/** Under which circumstances. What is absent is unknown: it counts against whoever asks. */
export type Context = {
  nowMs?: number | undefined;
  /** Where the person is, as an address without a port. */
  remoteAddress?: string | undefined;
};

export type Question = { subject: Subject; action: Action; resource: Resource; context?: Context };

/** The answer, with the name of the rule that decided, for the audit log and for `access explain`. */
export type Decision = {
  allowed: boolean;
  rule: string;
  /** The request that it is allowed by, where it would not be without. */
  grant?: { requestId: string; untilMs: number };
  /** The rule that would allow it, where a restriction stands against it. The person may then be told. */
  wouldAllow?: string;
  /** What stands against it, in words for the person. */
  because?: string;
};

export type Rule = {
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
const isAmong = (subject: Subject, { roles: wanted, users }: People) =>
  users.includes(subject.name) || subject.roles.some((role) => wanted.includes(role));

/** Nobody decides about what they themselves asked for, whatever their roles. */
const isReviewer = (subject: Subject, resource: Resource) =>
  resource.request !== undefined &&
  resource.ownerId !== undefined &&
  !owns(subject, resource) &&
  (isAmong(subject, resource.request.reviewers) ||
    (resource.request.reviewers.teamLeads && leadsOwner(subject, resource)));
/** Who decides about a role gives it: only what they have for good, or as a platform administrator. */
const mayGive = (subject: Subject, { request }: Resource) =>
  request?.gives === undefined || has(subject, "platform-admin") || subject.roles.includes(request.gives);

/** First match allows; where none matches the answer is no. There are no rules that deny: order cannot matter. */
export const rules: readonly Rule[] = [
  {
    name: "target-allows-person",
    actions: ["session.open"],
    when: (subject, { target, login }) =>
      target !== undefined &&
      login !== undefined &&
      target.logins.includes(login) &&
      isAmong(subject, { roles: target.allowRoles, users: target.allowUsers }),
  },
  {
    name: "all-recordings-for-reviewers",
    actions: ["session.view", "recording.play", "recording.export", "recording.view_input"],
    when: (subject) => has(subject, "auditor", "security-analyst", "platform-admin"),
  },
  {
    name: "holds-for-auditor-and-admin",
    actions: ["recording.hold"],
    when: (subject) => has(subject, "auditor", "platform-admin"),
  },
  {
    name: "alarms-for-reviewers",
    actions: ["recording.acknowledge"],
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
    actions: ["session.join", "session.pause", "session.terminate", "session.review"],
    when: (subject) => has(subject, "security-analyst", "platform-admin"),
  },
  {
    name: "team-sessions-for-team-lead",
    actions: ["session.join", "session.terminate"],
    when: leadsOwner,
  },
  {
    name: "everybody-lists-what-they-may-see",
    actions: ["session.list", "target.list", "request.list", "self.read", "self.write"],
    when: () => true,
  },
  {
    name: "administration-for-platform-admin",
    actions: [
      "target.write",
      "target.trust",
      "credential.write",
      "recording.rewrap",
      "retention.confirm",
      "person.read",
      "person.write",
      "team.read",
      "team.write",
      "role.read",
      "role.write",
    ],
    when: (subject) => has(subject, "platform-admin"),
  },
  {
    name: "people-for-reviewers",
    actions: ["person.read", "team.read", "role.read", "access.explain"],
    when: (subject) => has(subject, "auditor", "security-analyst", "platform-admin"),
  },
  {
    name: "locks-for-security",
    actions: ["lock.read", "lock.write"],
    when: (subject) => has(subject, "security-analyst", "platform-admin"),
  },
  {
    name: "locks-seen-by-auditor",
    actions: ["lock.read"],
    when: (subject) => has(subject, "auditor"),
  },
  {
    name: "may-ask",
    actions: ["request.create"],
    when: (subject, { request }) => request !== undefined && isAmong(subject, request.askers),
  },
  {
    name: "own-requests",
    actions: ["request.view"],
    when: owns,
  },
  {
    name: "seen-by-its-reviewers",
    actions: ["request.view"],
    when: isReviewer,
  },
  {
    name: "reviewer-of-the-request",
    actions: ["request.review"],
    when: (subject, resource) => isReviewer(subject, resource) && mayGive(subject, resource),
  },
  {
    name: "requests-seen-by-reviewers",
    actions: ["request.view"],
    when: (subject) => has(subject, "auditor", "security-analyst", "platform-admin"),
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

/**
 * Allowed or denied, by which rule. Pure: the same question has the same answer. A rule, a role's statement or a grant
 * allows; a restriction (a lock, the target's hours and networks, a token's scopes, ...) takes it away again, and none
 * ever gives.
 */
export function decide({ subject, action, resource, context = {} }: Question): Decision {
  const permission = permissionOf(subject, action, resource, context);
  if (!permission) return { allowed: false, rule: "deny-by-default" };
  const refusal = refusalOf({ subject, action, resource, context });
  if (refusal)
    return {
      allowed: false,
      rule: refusal.name,
      wouldAllow: permission.rule,
      because: refusal.because,
    };
  return { allowed: true, ...permission };
}

function permissionOf(
  subject: Subject,
  action: Action,
  resource: Resource,
  context: Context,
): Pick<Decision, "rule" | "grant"> | undefined {
  const standing = ruleFor(subject, action, resource);
  if (standing !== undefined) return { rule: standing };
  // What was asked for and approved counts only where nothing else allows, so that a session is bound to a request, and
  // ends with it, exactly when it needs it.
  for (const grant of subject.grants ?? []) {
    if (!isInForce(grant, subject, context)) continue;
    const rule = ruleByGrant(subject, grant, action, resource);
    if (rule !== undefined) return { rule, grant: { requestId: grant.requestId, untilMs: grant.untilMs } };
  }
  return undefined;
}

/** Whether a grant counts now: not after its end, and not while the role that it gives is locked. */
export function isInForce(grant: Grant, { locks = [] }: Subject, { nowMs }: Context): boolean {
  if (nowMs === undefined || grant.untilMs <= nowMs) return false;
  return !locks.some(
    ({ on, name, untilMs }) =>
      grant.kind === "role" &&
      on === "role" &&
      name === grant.role &&
      (untilMs === undefined || untilMs > nowMs),
  );
}

function ruleFor(subject: Subject, action: Action, resource: Resource): string | undefined {
  for (const rule of rules)
    if (rule.actions.includes(action) && rule.when(subject, resource)) return rule.name;
  const statement = (subject.statements ?? []).find((one) => allowsBy(one, action, resource));
  return statement && `role-${statement.role}`;
}

function ruleByGrant(subject: Subject, grant: Grant, action: Action, resource: Resource): string | undefined {
  switch (grant.kind) {
    case "target": {
      const { target, login } = resource;
      return action === "session.open" &&
        target?.id === grant.targetId &&
        login !== undefined &&
        target.logins.includes(login) &&
        grant.logins.includes(login)
        ? "approved-request"
        : undefined;
    }
    case "role": {
      // What was given for a time gives nothing that could outlast it.
      if (action === "request.review" && resource.request?.gives !== undefined) return undefined;
      const { leads, id, name } = subject;
      const more = { id, name, leads, roles: [grant.role], statements: grant.statements };
      return ruleFor(more, action, resource);
    }
    case "playback":
      // It allows nothing by itself: it lifts the demand for a second person.
      return undefined;
  }
}

import type { AccessPolicy } from "@gatehouse/contracts/rest";
import type { Context, Lock, Proof, Question } from "./decide.ts";
import { isWithin } from "./hours.ts";
import { isIn } from "./networks.ts";

/** What takes away what a rule would allow. */
export type Restriction = {
  name: string;
  /** In words for the person; undefined where it does not stand against it. */
  against(question: Required<Question>): string | undefined;
};

/** Each may say no by itself. They never allow, so their order decides only which one is named. */
export const restrictions: readonly Restriction[] = [
  { name: "locked", against: byLock },
  {
    name: "outside-the-token-scopes",
    against: ({ subject: { proof }, action }) =>
      proof?.scopes === undefined || proof.scopes.some((scope) => covers(scope, action))
        ? undefined
        : `the token that you use is not for ${action}`,
  },
  { name: "outside-allowed-hours", against: onOpening(byHours) },
  { name: "outside-allowed-networks", against: onOpening(byNetworks) },
  { name: "second-factor-too-old", against: onOpening(bySecondFactor) },
  { name: "second-person-needed", against: bySecondPerson },
  {
    name: "not-about-oneself",
    against: ({ subject, action, resource }) =>
      action === "session.review" && (resource.ownerId === undefined || resource.ownerId === subject.id)
        ? "somebody else must decide about what you want to run"
        : undefined,
  },
];

/** The first restriction that stands against it. */
export function refusalOf(question: Required<Question>): { name: string; because: string } | undefined {
  for (const { name, against } of restrictions) {
    const because = against(question);
    if (because !== undefined) return { name, because };
  }
  return undefined;
}

/** Whether a token with this scope is for that action. */
export function covers(scope: string, action: string): boolean {
  return scope === action || (scope.endsWith(".*") && action.startsWith(scope.slice(0, -1)));
}

function byLock({ subject, action, resource, context }: Required<Question>): string | undefined {
  const { nowMs, remoteAddress } = context;
  for (const { on, name, reason, untilMs } of subject.locks ?? []) {
    // An unknown time is no reason to take a lock for over.
    if (untilMs !== undefined && nowMs !== undefined && untilMs <= nowMs) continue;
    const until = untilMs === undefined ? "" : ` until ${new Date(untilMs).toISOString()}`;
    const opening = action === "session.open" ? { target: resource.target?.name, login: resource.login } : {};
    if (!isShut({ on, name }, { ...subject, ...opening, remoteAddress })) continue;
    return `${shutWords[on](name)}${until}: ${reason}`;
  }
  return undefined;
}

/** What a lock can stand against. What is absent is not meant. */
export type Lockable = {
  name: string;
  roles: readonly string[];
  target?: string | undefined;
  login?: string | undefined;
  remoteAddress?: string | undefined;
};

/** Whether a lock stands against this person, or against what they go to, and from where. */
export function isShut({ on, name }: Pick<Lock, "on" | "name">, what: Lockable): boolean {
  switch (on) {
    case "user":
      return name === what.name;
    case "role":
      return what.roles.includes(name);
    case "address":
      return what.remoteAddress !== undefined && isIn([name], what.remoteAddress);
    case "target":
      return name === what.target;
    case "login":
      return name === what.login;
  }
}

const shutWords: Record<Lock["on"], (name: string) => string> = {
  user: () => "you are locked out",
  role: (name) => `everybody with the role ${name} is locked out`,
  address: (name) => `nobody is let in from ${name}`,
  target: (name) => `the target ${name} is locked`,
  login: (name) => `the login ${name} is locked`,
};

type Opening = { policy: AccessPolicy; proof: Proof; context: Context };

function onOpening(against: (opening: Opening) => string | undefined): Restriction["against"] {
  return ({ subject: { proof = {} }, action, resource, context }) =>
    action === "session.open" && resource.target
      ? against({ policy: resource.target.policy, proof, context })
      : undefined;
}

function byHours({ policy: { hours }, context: { nowMs } }: Opening): string | undefined {
  if (hours === undefined || (nowMs !== undefined && isWithin(hours, nowMs))) return undefined;
  const windows = hours.windows.map(({ days, from, to }) => `${days.join(", ")} ${from}-${to}`).join("; ");
  return `this target is open at other hours: ${windows} (${hours.zone})`;
}

function byNetworks({ policy: { networks }, context: { remoteAddress } }: Opening): string | undefined {
  if (networks === undefined || (remoteAddress !== undefined && isIn(networks, remoteAddress)))
    return undefined;
  return "this target is not open to where you come from";
}

function bySecondFactor({ policy, proof: { mfaAtMs }, context: { nowMs } }: Opening): string | undefined {
  const minutes = policy.mfaWithinMinutes;
  if (minutes === undefined) return undefined;
  const isFresh = nowMs !== undefined && mfaAtMs !== undefined && nowMs - mfaAtMs <= minutes * 60_000;
  return isFresh
    ? undefined
    : `this target asks for a second factor given within the last ${minutes} minutes: give one with ` +
        "`gatehouse mfa verify` or on your account page, and come with that sign-in or its certificate";
}

function bySecondPerson({ subject, action, resource, context }: Required<Question>): string | undefined {
  if (!action.startsWith("recording.") || !resource.approvals) return undefined;
  const isApproved = (subject.grants ?? []).some(
    (grant) =>
      grant.kind === "playback" &&
      grant.sessionId === resource.sessionId &&
      context.nowMs !== undefined &&
      grant.untilMs > context.nowMs,
  );
  return isApproved ? undefined : "this recording is opened only when somebody else has approved it";
}

import { type LabelSelector, type Statement, builtInRoles } from "@gatehouse/contracts/rest";
import { type Action, type Subject, actions, decide } from "./decide.ts";
import { needsTargets, neverByRole } from "./statements.ts";

/** Whether it is one of the specification's, which nobody changes. */
export function isBuiltIn(role: string): boolean {
  return (builtInRoles as readonly string[]).includes(role);
}

/** What is wrong with a statement, in words for who wrote it; undefined where nothing is. */
export function faultOf({ actions: named, targets, logins }: Statement): string | undefined {
  for (const action of named) {
    if (!(actions as readonly string[]).includes(action)) return `there is no action ${action}`;
    if (neverByRole(action)) return `${action} is given by a policy of requests, never by a role`;
    if (needsTargets(action) && targets === undefined) return `${action} needs targets: which it is about`;
  }
  if (named.includes("session.open") && logins === undefined) return "session.open needs logins: as whom";
  return undefined;
}

/**
 * What of a statement somebody could not give, because they have not got it themselves, for good: the first such action.
 * What was granted to them for a time gives nothing that would outlast it.
 */
export function notTheirsToGive(giver: Subject, statement: Statement): string | undefined {
  const standing: Subject = { ...giver, grants: [] };
  return statement.actions.find((action) => !hasAll(standing, action as Action, statement));
}

function hasAll(subject: Subject, action: Action, wanted: Statement): boolean {
  // Whoever administers targets says anyway who may go to them, as whom.
  const asked = action === "session.open" ? "target.write" : action;
  // Asked about nothing in particular, it is allowed only to who may do it everywhere.
  if (decide({ subject, action: asked, resource: {} }).allowed) return true;
  return (subject.statements ?? []).some(
    ({ actions: own, targets, logins }) =>
      own.includes(action) &&
      (targets === undefined || (wanted.targets !== undefined && isWithin(wanted.targets, targets))) &&
      (action !== "session.open" ||
        logins?.includes("*") === true ||
        (wanted.logins ?? []).every((login) => logins?.includes(login) === true)),
  );
}

/** Whether all that fits the narrow selector fits the wide one too. */
function isWithin(narrow: LabelSelector, wide: LabelSelector): boolean {
  return Object.entries(wide).every(([label, values]) => {
    if (label === "*") return true;
    const asked = narrow[label];
    return asked !== undefined && (values.includes("*") || asked.every((value) => values.includes(value)));
  });
}

/** A role is given by who has it for good, or by a platform administrator; everybody is a user anyway. */
export function mayGiveRole(giver: Subject, role: string): boolean {
  return role === "user" || giver.roles.includes("platform-admin") || giver.roles.includes(role);
}

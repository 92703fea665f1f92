import type { LabelSelector } from "@gatehouse/contracts/rest";
import { type Context, type Subject, decide, isInForce } from "./decide.ts";

/**
 * Which sessions somebody may see, for a list that shall not ask about each: everybody's, or their own, those of the
 * members of these teams, and those on targets with these labels. Made of the same decisions as each single one.
 */
export type SessionScope =
  | "all"
  | { ownerId: string; teams: readonly string[]; targets: readonly LabelSelector[] };

export function sessionScope(subject: Subject, context: Context = {}): SessionScope {
  const action = "session.view";
  // Asked about a session of nobody in particular: only who may see everybody's is allowed.
  if (decide({ subject, action, resource: {}, context }).allowed) return "all";
  const teams = subject.leads.filter(
    (team) => decide({ subject, action, resource: { ownerTeams: [team] }, context }).allowed,
  );
  const granted = (subject.grants ?? []).flatMap((grant) =>
    grant.kind === "role" && isInForce(grant, subject, context) ? grant.statements : [],
  );
  const targets = [...(subject.statements ?? []), ...granted]
    .filter((one) => one.actions.includes(action))
    .flatMap((one) => (one.targets ? [one.targets] : []));
  return { ownerId: subject.id, teams, targets };
}

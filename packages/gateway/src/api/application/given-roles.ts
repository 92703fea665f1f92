import type { TargetCreate } from "@gatehouse/contracts/rest";
import { GatehouseError } from "@gatehouse/kernel";
import { isBuiltIn, mayGiveRole } from "../../access/mod.ts";
import type { AccessRequests, Roles, User } from "../../directory/mod.ts";
import type { Principal } from "../door.ts";

/** Throws `invalid` for a role that there is not: by a slip nobody is let in, or whoever gets a role of that name one day. */
export async function checkThere(roles: Pick<Roles, "named">, named: readonly string[]): Promise<void> {
  const own = await roles.named(named.filter((name) => !isBuiltIn(name)));
  const strange = named.find((name) => !isBuiltIn(name) && !own.some((role) => role.name === name));
  if (strange === undefined) return;
  throw new GatehouseError({
    code: "invalid",
    op: "roles.named",
    message: `there is no role ${strange}`,
    hint: "`gatehouse roles ls` lists them; one of your own is made first: `gatehouse roles set`.",
  });
}

/** Throws `invalid` for a role that there is not, `denied` for one that is not theirs to give. */
export async function checkGiven(
  roles: Pick<Roles, "named">,
  { subject }: Principal,
  given: readonly string[],
): Promise<void> {
  await checkThere(roles, given);
  const missing = given.find((name) => !mayGiveRole(subject, name));
  if (missing === undefined) return;
  throw new GatehouseError({
    code: "denied",
    op: "people.roles",
    message: `nobody can give what they have not, and you have not got the role ${missing}`,
  });
}

/** Every role that a target names, for whatever. */
export function rolesIn({
  allowRoles = [],
  access = {},
}: {
  allowRoles?: readonly string[] | undefined;
  access?: TargetCreate["access"];
}): string[] {
  const { requests, playback } = access;
  const people = [requests?.askers, requests?.reviewers, playback?.reviewers];
  return [...allowRoles, ...people.flatMap((some) => some?.roles ?? [])];
}

export type RightsOf = { roles: Pick<Roles, "named">; accessRequests: Pick<AccessRequests, "inForceOf"> };

/**
 * Whoever makes a way in for somebody else could go it themselves, and have all their rights, those for a time too. Throws
 * `denied`.
 */
export async function checkActsFor(
  { roles, accessRequests }: RightsOf,
  principal: Principal,
  { id, roles: standing }: Pick<User, "id" | "roles">,
): Promise<void> {
  if (principal.subject.id === id) return;
  const granted = await accessRequests.inForceOf(id);
  const theirs = [
    ...standing,
    ...granted.flatMap(({ wanted }) => (wanted.kind === "role" ? [wanted.role] : [])),
  ];
  // What is no role any more gives nothing.
  const own = await roles.named(theirs);
  await checkGiven(
    roles,
    principal,
    theirs.filter((role) => isBuiltIn(role) || own.some(({ name }) => name === role)),
  );
}

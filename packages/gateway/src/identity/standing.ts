import { type Role, type Subject, roles } from "../access/mod.ts";
import type { Teams, User } from "../directory/mod.ts";

/** What access must know about somebody beyond who they are. Looked up anew for each question, so it is never stale. */
export type Standing = (user: Pick<User, "id" | "roles">) => Promise<Omit<Subject, "id" | "name">>;

export function standingIn({ teams }: { teams: Pick<Teams, "ofUser"> }): Standing {
  return async (user) => {
    // A role that this version does not know gives no right.
    const known = user.roles.filter((role): role is Role => (roles as readonly string[]).includes(role));
    const memberships = await teams.ofUser(user.id);
    return {
      roles: [...known, "user"],
      leads: memberships.filter((team) => team.leads).map((team) => team.teamId),
    };
  };
}

import { type Grant, type RoleStatement, type Subject, isBuiltIn } from "../access/mod.ts";
import type {
  AccessRequest,
  AccessRequests,
  Locks,
  Roles,
  StoredRole,
  Teams,
  User,
} from "../directory/mod.ts";

/** What access must know about somebody beyond who they are. Looked up anew for each question, so it is never stale. */
export type Standing = (user: Pick<User, "id" | "roles">) => Promise<Omit<Subject, "id" | "name">>;

export function standingIn({
  teams,
  roles,
  locks,
  accessRequests,
}: {
  teams: Pick<Teams, "ofUser">;
  roles: Pick<Roles, "named">;
  locks: Pick<Locks, "inForce">;
  accessRequests: Pick<AccessRequests, "inForceOf">;
}): Standing {
  return async (user) => {
    const [own, memberships, shut, approved] = await Promise.all([
      roles.named(user.roles.filter((role) => !isBuiltIn(role))),
      teams.ofUser(user.id),
      locks.inForce(),
      accessRequests.inForceOf(user.id),
    ]);
    // A role that is not there any more, or that this version does not know, gives no right.
    const known = user.roles.filter((role) => isBuiltIn(role) || own.some(({ name }) => name === role));
    return {
      roles: [...new Set([...known, "user"])],
      statements: own.flatMap(statementsOf),
      leads: memberships.filter((team) => team.leads).map((team) => team.teamId),
      locks: shut,
      grants: approved.map(grantOf),
    };
  };
}

function statementsOf({ name, statements }: StoredRole): RoleStatement[] {
  return statements.map((statement) => ({ ...statement, role: name }));
}

function grantOf({ id, endsAtMs, wanted }: AccessRequest): Grant {
  const grant = { requestId: id, untilMs: endsAtMs };
  return wanted.kind === "target"
    ? { ...grant, kind: "target", targetId: wanted.targetId, logins: wanted.logins }
    : { ...grant, kind: "playback", sessionId: wanted.sessionId };
}

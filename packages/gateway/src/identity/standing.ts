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
    const granted = await grantedRoles(approved);
    const known = user.roles.filter((role) => isBuiltIn(role) || own.some(({ name }) => name === role));
    return {
      roles: [...new Set([...known, "user"])],
      statements: own.flatMap(statementsOf),
      leads: memberships.filter((team) => team.leads).map((team) => team.teamId),
      locks: shut,
      grants: approved.flatMap((request) => grantOf(request, granted)),
    };
  };

  /** The operator's own among the roles that somebody has for a time. */
  function grantedRoles(approved: readonly AccessRequest[]): Promise<readonly StoredRole[]> {
    return roles.named(
      approved.flatMap(({ wanted }) =>
        wanted.kind === "role" && !isBuiltIn(wanted.role) ? [wanted.role] : [],
      ),
    );
  }
}

function statementsOf({ name, statements }: StoredRole): RoleStatement[] {
  return statements.map((statement) => ({ ...statement, role: name }));
}

function grantOf({ id, endsAtMs, wanted }: AccessRequest, granted: readonly StoredRole[]): Grant[] {
  const grant = { requestId: id, untilMs: endsAtMs };
  switch (wanted.kind) {
    case "target":
      return [{ ...grant, kind: "target", targetId: wanted.targetId, logins: wanted.logins }];
    case "playback":
      return [{ ...grant, kind: "playback", sessionId: wanted.sessionId }];
    case "role": {
      const { role } = wanted;
      if (isBuiltIn(role)) return [{ ...grant, kind: "role", role, statements: [] }];
      // One that is not there any more gives nothing.
      const own = granted.find(({ name }) => name === role);
      return own ? [{ ...grant, kind: "role", role, statements: statementsOf(own) }] : [];
    }
  }
}

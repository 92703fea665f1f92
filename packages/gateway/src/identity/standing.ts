import { type Grant, type Role, type Subject, roles } from "../access/mod.ts";
import type { AccessRequest, AccessRequests, Locks, Teams, User } from "../directory/mod.ts";

/** What access must know about somebody beyond who they are. Looked up anew for each question, so it is never stale. */
export type Standing = (user: Pick<User, "id" | "roles">) => Promise<Omit<Subject, "id" | "name">>;

export function standingIn({
  teams,
  locks,
  accessRequests,
}: {
  teams: Pick<Teams, "ofUser">;
  locks: Pick<Locks, "inForce">;
  accessRequests: Pick<AccessRequests, "inForceOf">;
}): Standing {
  return async (user) => {
    // A role that this version does not know gives no right.
    const known = user.roles.filter((role): role is Role => (roles as readonly string[]).includes(role));
    const [memberships, shut, approved] = await Promise.all([
      teams.ofUser(user.id),
      locks.inForce(),
      accessRequests.inForceOf(user.id),
    ]);
    return {
      roles: [...known, "user"],
      leads: memberships.filter((team) => team.leads).map((team) => team.teamId),
      locks: shut,
      grants: approved.map(grantOf),
    };
  };
}

function grantOf({ id, endsAtMs, wanted }: AccessRequest): Grant {
  const grant = { requestId: id, untilMs: endsAtMs };
  return wanted.kind === "target"
    ? { ...grant, kind: "target", targetId: wanted.targetId, logins: wanted.logins }
    : { ...grant, kind: "playback", sessionId: wanted.sessionId };
}

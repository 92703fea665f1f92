import type { Resource } from "../access/mod.ts";
import type { SessionEntry, Target, Targets, Teams } from "./door.ts";

/** What access must know about the things it is asked about. Looked up anew for each question, so it is never stale. */
export type Resources = {
  /**
   * A session or its recording: whose it is and in which teams they are now, and the target as it is now. A target that is
   * gone is unknown.
   */
  ofSession(session: Pick<SessionEntry, "facts" | "access">): Promise<Resource>;
  /** For many questions at once: each person and each target is looked up once. Not to be kept. */
  atOnce(): Pick<Resources, "ofSession">;
};

export function resourcesIn({
  teams,
  targets,
}: {
  teams: Pick<Teams, "ofUser">;
  targets: Pick<Targets, "byId">;
}): Resources {
  return {
    atOnce: () =>
      resourcesIn({ teams: { ofUser: once(teams.ofUser) }, targets: { byId: once(targets.byId) } }),
    async ofSession({ facts, access }) {
      const { sessionId, user, target, login } = facts;
      const memberships = await teams.ofUser(user.id);
      const now = await targets.byId(target.id);
      return {
        sessionId,
        ownerId: user.id,
        ownerTeams: memberships.map((team) => team.teamId),
        // What was demanded when the session was made holds, whatever becomes of the target: else whoever may change a
        // target could open its recordings alone.
        approvals: Math.max(access?.approvals ?? 0, now?.access.playback?.approvals ?? 0),
        watermark: access?.watermark === true || now?.access.watermark === true,
        ...(now && targetResource(now, login)),
      };
    },
  };
}

function once<T>(look: (id: string) => Promise<T>): (id: string) => Promise<T> {
  const found = new Map<string, Promise<T>>();
  return (id) => {
    const known = found.get(id) ?? look(id);
    found.set(id, known);
    return known;
  };
}

/** A target that somebody asks for, where its policy lets anybody do so. */
export function requestResource(target: Target): Resource | undefined {
  const policy = target.access.requests;
  if (!policy) return undefined;
  const { askers, reviewers } = policy;
  return { ...targetResource(target, undefined), request: { askers, reviewers } };
}

/** A target, and the login on it that is asked for. */
export function targetResource(target: Target, login: string | undefined): Resource {
  const { id, name, protocol, labels, allowed, access } = target;
  return {
    login,
    target: {
      id,
      name,
      protocol,
      labels,
      logins: target.logins.map((entry) => entry.login),
      allowRoles: allowed.roles,
      allowUsers: allowed.users,
      policy: access,
    },
  };
}

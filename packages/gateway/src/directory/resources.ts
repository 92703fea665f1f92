import type { SessionFacts } from "@gatehouse/recording";
import type { Resource } from "../access/mod.ts";
import type { Teams } from "./door.ts";

/** What access must know about the things it is asked about. Looked up anew for each question, so it is never stale. */
export type Resources = {
  /** A session or its recording: whose it is, and in which teams they are now. */
  ofSession(facts: Pick<SessionFacts, "user">): Promise<Resource>;
};

export function resourcesIn({ teams }: { teams: Pick<Teams, "ofUser"> }): Resources {
  return {
    async ofSession({ user }) {
      const memberships = await teams.ofUser(user.id);
      return { ownerId: user.id, ownerTeams: memberships.map((team) => team.teamId) };
    },
  };
}

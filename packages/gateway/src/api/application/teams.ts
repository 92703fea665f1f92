import type { Team } from "@gatehouse/contracts/rest";
import type { AuditLog } from "../../audit/mod.ts";
import type { Team as StoredTeam, Teams } from "../../directory/mod.ts";
import type { Principal, TeamsDoor } from "../door.ts";
import { noteChange } from "./note.ts";
import { found, isoTime, pageRequest, wirePage } from "./page.ts";

export function createTeams(options: {
  teams: Teams;
  audit: Pick<AuditLog, "append">;
  /** Called when what somebody may do has changed. */
  rightsChanged(): void;
}): TeamsDoor {
  const { teams, audit, rightsChanged } = options;
  const note = (principal: Principal, event: string, team: StoredTeam, withMembers: boolean) =>
    noteChange(audit, principal, event, {
      team_id: team.id,
      name: team.name,
      ...(withMembers && {
        members: team.members.map(({ name }) => name),
        leads: team.members.filter(({ leads }) => leads).map(({ name }) => name),
      }),
    });
  const byId = async (id: string) => found(await teams.byId(id), "team", id);
  const membersOf = (members: readonly { userId: string; leads?: boolean | undefined }[]) =>
    members.map(({ userId, leads = false }) => ({ userId, leads }));

  return {
    async list(query) {
      return wirePage(
        await teams.list(query.q === undefined ? {} : { text: query.q }, pageRequest(query)),
        words,
      );
    },
    get: async (id) => words(await byId(id)),
    async create(principal, { name, description = "", members = [] }) {
      const team = await teams.create({ name, description, members: membersOf(members) });
      rightsChanged();
      await note(principal, "team.create", team, true);
      return words(team);
    },
    async update(principal, id, { description, members }) {
      const team = await teams.update(id, {
        ...(description !== undefined && { description }),
        ...(members && { members: membersOf(members) }),
      });
      rightsChanged();
      await note(principal, "team.update", team, true);
      return words(team);
    },
    async remove(principal, id) {
      const team = await byId(id);
      await teams.remove(id);
      rightsChanged();
      await note(principal, "team.delete", team, false);
    },
  };
}

function words({ createdAtMs, members, ...team }: StoredTeam): Team {
  return { ...team, members: [...members], createdAt: isoTime(createdAtMs) };
}

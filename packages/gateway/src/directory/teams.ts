import { type Clock, GatehouseError, type Random, newId } from "@gatehouse/kernel";
import type { Kysely, Selectable, Transaction } from "kysely";
import type { Team, TeamMember, Teams } from "./door.ts";
import { keyIn, limitOf, lowerContains, pageOf } from "./page.ts";
import { refusing } from "./refusals.ts";
import type { Tables } from "./schema.ts";

type Row = Selectable<Tables["teams"]>;

export function teamsIn({
  database,
  clock,
  random,
}: {
  database: Kysely<Tables>;
  clock: Pick<Clock, "nowMs">;
  random: Random;
}): Teams {
  return {
    async create({ name, description = "", members = [] }) {
      const nowMs = clock.nowMs();
      const row = { id: newId(nowMs, random), name, description, created_at: nowMs };
      return database.transaction().execute(async (transaction) => {
        await refusing("conflict", `there is a team ${name} already`, () =>
          transaction.insertInto("teams").values(row).execute(),
        );
        await writeMembers(transaction, row.id, members);
        return one(await withMembers(transaction, [row]));
      });
    },
    async byId(id) {
      const rows = await database.selectFrom("teams").selectAll().where("id", "=", id).execute();
      return (await withMembers(database, rows))[0];
    },
    async byName(name) {
      const rows = await database.selectFrom("teams").selectAll().where("name", "=", name).execute();
      return (await withMembers(database, rows))[0];
    },
    async list({ text } = {}, page = {}) {
      const limit = limitOf(page);
      let query = database
        .selectFrom("teams")
        .selectAll()
        .orderBy("name")
        .limit(limit + 1);
      if (page.after !== undefined) query = query.where("name", ">", keyIn(page.after, ["string"])[0]);
      if (text !== undefined && text !== "")
        query = query.where(({ or }) =>
          or([lowerContains("name", text), lowerContains("description", text)]),
        );
      const rows = await query.execute();
      const teams = new Map((await withMembers(database, rows.slice(0, limit))).map((t) => [t.id, t]));
      return pageOf(
        rows,
        limit,
        (row) => teams.get(row.id) as Team,
        (row) => [row.name],
      );
    },
    async update(id, { description, members }) {
      return database.transaction().execute(async (transaction) => {
        const row = await transaction
          .updateTable("teams")
          .set({ id, ...(description !== undefined && { description }) })
          .where("id", "=", id)
          .returningAll()
          .executeTakeFirst();
        if (!row)
          throw new GatehouseError({
            code: "not_found",
            op: "teams.update",
            message: `no team has the id ${id}`,
          });
        if (members) await writeMembers(transaction, id, members);
        return one(await withMembers(transaction, [row]));
      });
    },
    async remove(id) {
      const { numDeletedRows } = await database
        .deleteFrom("teams")
        .where("id", "=", id)
        .executeTakeFirstOrThrow();
      return numDeletedRows > 0n;
    },
    async ofUser(userId) {
      const rows = await database
        .selectFrom("team_members")
        .innerJoin("teams", "teams.id", "team_members.team_id")
        .select(["teams.id", "teams.name", "team_members.leads"])
        .where("team_members.user_id", "=", userId)
        .orderBy("teams.name")
        .execute();
      return rows.map(({ id, name, leads }) => ({ teamId: id, name, leads: leads !== 0 }));
    },
  };
}

async function writeMembers(
  transaction: Transaction<Tables>,
  teamId: string,
  members: readonly Pick<TeamMember, "userId" | "leads">[],
): Promise<void> {
  await transaction.deleteFrom("team_members").where("team_id", "=", teamId).execute();
  for (const { userId, leads } of members)
    await refusing("conflict", `${userId} is named twice in the team, or is nobody`, () =>
      transaction
        .insertInto("team_members")
        .values({ team_id: teamId, user_id: userId, leads: leads ? 1 : 0 })
        .execute(),
    );
}

/** The teams of some rows, in their order, with who is in them, by name. */
async function withMembers(database: Kysely<Tables>, rows: readonly Row[]): Promise<Team[]> {
  if (rows.length === 0) return [];
  const members = await database
    .selectFrom("team_members")
    .innerJoin("users", "users.id", "team_members.user_id")
    .select(["team_members.team_id", "users.id", "users.name", "team_members.leads"])
    .where(
      "team_members.team_id",
      "in",
      rows.map((row) => row.id),
    )
    .orderBy("users.name")
    .execute();
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    description: row.description,
    members: members
      .filter((member) => member.team_id === row.id)
      .map(({ id, name, leads }) => ({ userId: id, name, leads: leads !== 0 })),
    createdAtMs: row.created_at,
  }));
}

function one(teams: readonly Team[]): Team {
  return teams[0] as Team;
}

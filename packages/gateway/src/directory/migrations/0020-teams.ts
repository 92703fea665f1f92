import type { Migration } from "./migration.ts";

/** Teams of people, some of whom lead. */
export const teams: Migration = {
  id: "0020-teams",
  statements: [
    `create table teams (
      id text primary key,
      name text not null unique,
      description text not null,
      created_at bigint not null
    )`,
    `create table team_members (
      team_id text not null references teams (id) on delete cascade,
      user_id text not null references users (id),
      leads integer not null,
      primary key (team_id, user_id)
    )`,
    `create index team_members_of_user on team_members (user_id, team_id)`,
  ],
};

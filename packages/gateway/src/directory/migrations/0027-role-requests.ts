import type { Migration } from "./migration.ts";

/** Roles that can be asked for: on which terms, built in or not, and the role that somebody asked for. */
export const roleRequests: Migration = {
  id: "0027-role-requests",
  statements: [
    `create table role_requests (
      role text primary key,
      policy text not null,
      updated_at bigint not null
    )`,
    `alter table access_requests add column role text`,
    `create index access_requests_of_role on access_requests (role, state)`,
  ],
};

import type { Migration } from "./migration.ts";

/** The operator's own roles, beside those that are built in. */
export const roles: Migration = {
  id: "0026-roles",
  statements: [
    `create table roles (
      name text primary key,
      description text not null,
      statements text not null,
      created_at bigint not null,
      updated_at bigint not null
    )`,
  ],
};

import type { Migration } from "./migration.ts";

/** People, roles, targets, logins and addresses that are shut for now. */
export const locks: Migration = {
  id: "0024-locks",
  statements: [
    `create table locks (
      id text primary key,
      kind text not null,
      name text not null,
      reason text not null,
      created_by text not null,
      created_at bigint not null,
      until_at bigint
    )`,
  ],
};

import type { Migration } from "./migration.ts";

/** What stands between somebody who may use a target and a session on it. */
export const accessPolicies: Migration = {
  id: "0021-access-policies",
  statements: [`alter table targets add column access_policy text not null default '{}'`],
};

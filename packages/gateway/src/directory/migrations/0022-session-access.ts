import type { Migration } from "./migration.ts";

/** By which rule or request a session was allowed, and what was demanded of its recording then. */
export const sessionAccess: Migration = {
  id: "0022-session-access",
  statements: [`alter table sessions add column access text`],
};

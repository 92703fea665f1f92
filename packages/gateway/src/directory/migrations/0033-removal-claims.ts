import type { Migration } from "./migration.ts";

/** Which gateway of several removes a recording now, and until when the others leave it to that one. */
export const removalClaims: Migration = {
  id: "0033-removal-claims",
  statements: [
    `alter table sessions add column removing_by text`,
    `alter table sessions add column removing_until bigint`,
  ],
};

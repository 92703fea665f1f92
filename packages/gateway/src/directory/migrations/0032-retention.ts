import type { Migration } from "./migration.ts";

/** Until when each recording is kept, what the store itself says of it, when it was removed, and who holds it. */
export const retention: Migration = {
  id: "0032-retention",
  statements: [
    `alter table sessions add column retention_ms bigint`,
    `alter table sessions add column retain_until bigint`,
    `alter table sessions add column locked_until bigint`,
    `alter table sessions add column removed_at bigint`,
    `alter table sessions add column hold text`,
    `create index sessions_by_retention on sessions (retain_until)`,
  ],
};

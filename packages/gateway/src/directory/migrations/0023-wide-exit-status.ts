import type { Migration } from "./migration.ts";

/** A target may report 32 bits without a sign, which PostgreSQL's integer does not hold. */
export const wideExitStatus: Migration = {
  id: "0023-wide-exit-status",
  statements: [],
  postgresStatements: [`alter table sessions alter column exit_status type bigint`],
};

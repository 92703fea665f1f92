import { z } from "zod";
import type { JsonObject } from "../../../directory/mod.ts";
import { readStored } from "../../../passage/mod.ts";

/** What sessions may do beyond statements, as the directory keeps it. What is absent is refused. */
const stored = z.strictObject({
  /** The whole cluster may be copied, whatever the privileges on its tables. */
  replication: z.boolean().default(false),
});
export type PostgresPolicy = z.output<typeof stored>;

/** The policy of a stored target. A row that does not fit allows nothing, and says so. */
export function postgresPolicy(row: JsonObject): PostgresPolicy {
  return readStored(stored, row, { op: "postgres.target", what: "policy", command: "targets permit" });
}

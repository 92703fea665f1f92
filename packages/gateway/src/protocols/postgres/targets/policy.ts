import { GatehouseError } from "@gatehouse/kernel";
import { z } from "zod";
import type { JsonObject } from "../../../directory/mod.ts";

/** What sessions may do beyond statements, as the directory keeps it. What is absent is refused. */
const stored = z.strictObject({
  /** The whole cluster may be copied, whatever the privileges on its tables. */
  replication: z.boolean().default(false),
});
export type PostgresPolicy = z.output<typeof stored>;

/** The policy of a stored target. A row that does not fit allows nothing, and says so. */
export function postgresPolicy(row: JsonObject): PostgresPolicy {
  const result = stored.safeParse(row);
  if (result.success) return result.data;
  throw new GatehouseError({
    code: "corrupt",
    op: "postgres.target",
    message: `the target's stored policy does not fit: ${z.prettifyError(result.error)}`,
    hint: "Set it again with `gatehouse targets permit`.",
  });
}

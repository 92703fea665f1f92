import { GatehouseError } from "@gatehouse/kernel";
import { z } from "zod";
import type { JsonObject } from "../../../directory/mod.ts";

/** What sessions may do beyond statements, as the directory keeps it. What is absent is refused. */
const stored = z.strictObject({
  /** LOAD DATA LOCAL: the server reads files of the client's. */
  localFiles: z.boolean().default(false),
});
export type MysqlPolicy = z.output<typeof stored>;

/** The policy of a stored target. A row that does not fit allows nothing, and says so. */
export function mysqlPolicy(row: JsonObject): MysqlPolicy {
  const result = stored.safeParse(row);
  if (result.success) return result.data;
  throw new GatehouseError({
    code: "corrupt",
    op: "mysql.target",
    message: `the target's stored policy does not fit: ${z.prettifyError(result.error)}`,
    hint: "Set it again with `gatehouse targets`.",
  });
}

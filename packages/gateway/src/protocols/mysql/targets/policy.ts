import { z } from "zod";
import type { JsonObject } from "../../../directory/mod.ts";
import { readStored } from "../../../passage/mod.ts";

/** What sessions may do beyond statements, as the directory keeps it. What is absent is refused. */
const stored = z.strictObject({
  /** LOAD DATA LOCAL: the server reads files of the client's. */
  localFiles: z.boolean().default(false),
});
export type MysqlPolicy = z.output<typeof stored>;

/** The policy of a stored target. A row that does not fit allows nothing, and says so. */
export function mysqlPolicy(row: JsonObject): MysqlPolicy {
  return readStored(stored, row, { op: "mysql.target", what: "policy", command: "targets permit" });
}

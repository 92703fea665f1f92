import { z } from "zod";
import { count, defineEvent, text } from "./descriptor.ts";

export const dbStatementDenied = defineEvent({
  event: "db.statement.denied",
  codes: { success: "GH2110W" },
  category: "security",
  severity: "warning",
  description: "A rule of a database target kept a statement from being run.",
  fields: z.strictObject({
    rule: text(128),
    /** What it would have done: `delete`, `drop`, ..., `unclassified`. */
    statement_kind: text(64),
    /** Its number in the recording. */
    statement: count(),
  }),
});

import { z } from "zod";
import { count, defineEvent, text } from "./descriptor.ts";

export const dbStatementHold = defineEvent({
  event: "db.statement.hold",
  codes: { success: "GH2111I" },
  category: "security",
  severity: "warning",
  description: "A rule of a database target keeps a statement until somebody else approves it.",
  fields: z.strictObject({
    rule: text(128),
    /** What it would do: `delete`, `drop`, ..., `unclassified`. */
    statement_kind: text(64),
    /** Its number in the recording. */
    statement: count(),
  }),
});

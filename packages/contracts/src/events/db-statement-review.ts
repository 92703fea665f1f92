import { z } from "zod";
import { count, defineEvent, sessionFields, text } from "./descriptor.ts";

export const dbStatementReview = defineEvent({
  event: "db.statement.review",
  codes: { success: "GH2112I", failure: "GH2112W" },
  category: "security",
  severity: "info",
  description: "Somebody decided about a statement that waited for it, or was refused to.",
  fields: z.strictObject({
    ...sessionFields,
    /** Whose session it is. */
    owner: text(256),
    /** Its number in the recording. */
    statement: count().optional(),
    decision: z.enum(["approve", "deny"]).optional(),
    comment: text().optional(),
    /** The target's rule that asked for it; of a refusal the rule that decided. */
    rule: text(128).optional(),
  }),
});

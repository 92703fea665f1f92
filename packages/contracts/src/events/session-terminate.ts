import { z } from "zod";
import { count, defineEvent, sessionFields, text } from "./descriptor.ts";

export const sessionTerminate = defineEvent({
  event: "session.terminate",
  codes: { success: "GH2103I", failure: "GH2103W" },
  category: "security",
  severity: "warning",
  description: "Somebody ended a live session, or was refused; session.end follows when it has ended.",
  fields: z.strictObject({
    ...sessionFields,
    /** Whose session it is. */
    owner: text(256),
    reason: text().optional(),
    warning: text().optional(),
    /** From the warning to the end. */
    grace_ms: count().optional(),
    /** Of a refusal: the rule that decided. */
    rule: text(128).optional(),
  }),
});

import { z } from "zod";
import { count, defineEvent, sessionFields, text } from "./descriptor.ts";

export const sessionResume = defineEvent({
  event: "session.resume",
  codes: { success: "GH2102I", failure: "GH2102W" },
  category: "session",
  severity: "info",
  description: "The input of a paused session passes again, or somebody was refused to let it.",
  fields: z.strictObject({
    ...sessionFields,
    /** Whose session it is. */
    owner: text(256),
    reason: text().optional(),
    paused_by: text(256).optional(),
    /** What was typed meanwhile and dropped. */
    discarded_bytes: count().optional(),
    /** Of a refusal: the rule that decided. */
    rule: text(128).optional(),
  }),
});

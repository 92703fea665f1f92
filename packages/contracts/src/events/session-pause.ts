import { z } from "zod";
import { count, defineEvent, sessionFields, text } from "./descriptor.ts";

export const sessionPause = defineEvent({
  event: "session.pause",
  codes: { success: "GH2101I", failure: "GH2101W" },
  category: "session",
  severity: "warning",
  description: "Somebody stopped the input of a live session, or was refused.",
  fields: z.strictObject({
    ...sessionFields,
    /** Whose session it is. */
    owner: text(256),
    reason: text().optional(),
    /** After so long it ends by itself. */
    limit_ms: count().optional(),
    /** Of a refusal: the rule that decided. */
    rule: text(128).optional(),
  }),
});

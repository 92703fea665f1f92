import { z } from "zod";
import { count, defineEvent, sessionFields, text } from "./descriptor.ts";

export const sessionLeave = defineEvent({
  event: "session.leave",
  codes: { success: "T2003I" },
  category: "session",
  severity: "info",
  description: "Somebody no longer looks on at a live session.",
  fields: z.strictObject({
    ...sessionFields,
    /** Whose session it is. */
    owner: text(256),
    participant_id: text(64),
    mode: text(32),
    duration_ms: count(),
  }),
});

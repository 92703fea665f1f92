import { z } from "zod";
import { defineEvent, sessionFields, text } from "./descriptor.ts";

export const sessionJoin = defineEvent({
  event: "session.join",
  codes: { success: "T2001I", failure: "GH2104W" },
  category: "session",
  severity: "info",
  description:
    "Somebody looks on at a live session from now on, or was refused; written before anything is shown.",
  fields: z.strictObject({
    ...sessionFields,
    /** Whose session it is. */
    owner: text(256),
    /** Tells two windows of the same person apart. */
    participant_id: text(64).optional(),
    mode: text(32).optional(),
    /** Of a refusal: the rule that decided. */
    rule: text(128).optional(),
  }),
});

import { z } from "zod";
import { defineEvent, instant, text } from "./descriptor.ts";

export const recordingsRewrap = defineEvent({
  event: "recordings.rewrap",
  codes: { success: "GH0010W" },
  category: "administrative",
  severity: "warning",
  description:
    "Somebody had the keys of recordings wrapped again, for the recipients that are configured now.",
  fields: z.strictObject({
    /** For whom, and to what. */
    recipients: z.array(text(2048)).max(200),
    /** Of sessions that started in this time. */
    from: instant().optional(),
    to: instant().optional(),
  }),
});

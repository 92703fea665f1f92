import { z } from "zod";
import { defineEvent, instant, text } from "./descriptor.ts";

export const sessionRecordingAcknowledge = defineEvent({
  event: "session.recording.acknowledge",
  codes: { success: "GH2007W" },
  category: "administrative",
  severity: "warning",
  description: "Somebody has taken note that a recording was found damaged: its alarm is over.",
  fields: z.strictObject({
    reason: text(1024),
    /** What was found, and when. */
    detail: text(),
    found_at: instant(),
  }),
});

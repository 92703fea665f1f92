import { z } from "zod";
import { defineEvent, instant, text } from "./descriptor.ts";

export const sessionRecordingRelease = defineEvent({
  event: "session.recording.release",
  codes: { success: "GH2004W" },
  category: "administrative",
  severity: "warning",
  description: "Somebody lifted a recording's legal hold: its retention counts again.",
  fields: z.strictObject({
    reason: text(1024),
    owner: text(256),
    held_for: text(1024),
    held_since: instant(),
  }),
});

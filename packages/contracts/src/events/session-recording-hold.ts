import { z } from "zod";
import { defineEvent, text } from "./descriptor.ts";

export const sessionRecordingHold = defineEvent({
  event: "session.recording.hold",
  codes: { success: "GH2003W" },
  category: "administrative",
  severity: "warning",
  description: "Somebody put a legal hold on a recording: it is kept whatever its retention.",
  fields: z.strictObject({
    reason: text(1024),
    /** Who answers for the hold. */
    owner: text(256),
  }),
});

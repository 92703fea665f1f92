import { z } from "zod";
import { count, defineEvent, instant, sha256, text } from "./descriptor.ts";

export const sessionRecordingExpire = defineEvent({
  event: "session.recording.expire",
  codes: { success: "GH2005I" },
  category: "session",
  severity: "info",
  description: "A recording's retention is over; written before its objects are removed.",
  fields: z.strictObject({
    /** Whose session it was. */
    owner: text(256),
    objects: count(),
    bytes: count(),
    retain_until: instant(),
    head_sha256: sha256().optional(),
  }),
});

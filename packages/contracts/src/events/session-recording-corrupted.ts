import { z } from "zod";
import { count, defineEvent, text } from "./descriptor.ts";

export const sessionRecordingCorrupted = defineEvent({
  event: "session.recording.corrupted",
  codes: { success: "GH2001E" },
  category: "security",
  severity: "critical",
  description: "A recording does not verify: a part is missing, altered, reordered or cut off.",
  fields: z.strictObject({
    detail: text(),
    /** The object or file that does not verify. */
    key: text(1024).optional(),
    /** The segment's number. */
    segment: count().optional(),
  }),
});

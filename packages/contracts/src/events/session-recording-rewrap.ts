import { z } from "zod";
import { count, defineEvent, text } from "./descriptor.ts";

export const sessionRecordingRewrap = defineEvent({
  event: "session.recording.rewrap",
  codes: { success: "GH2010I" },
  category: "session",
  severity: "info",
  description: "A recording's keys are wrapped for other recipients; written before the object that says so.",
  fields: z.strictObject({
    /** Whose session it was. */
    owner: text(256),
    /** Of the object beside the manifest. */
    number: count(),
    recipients: z.array(text(2048)).max(200),
    /** Whether what was shown, and what was typed, is wrapped again; the other keeps its recipients. */
    output: z.boolean(),
    input: z.boolean(),
  }),
});

import { z } from "zod";
import { defineEvent, text } from "./descriptor.ts";

export const targetHostKeyRejected = defineEvent({
  event: "target.host_key.rejected",
  codes: { success: "GH4005W" },
  category: "security",
  severity: "critical",
  description: "A target showed a key that nobody accepted for it; nothing was sent to it.",
  fields: z.strictObject({
    name: text(256),
    addr: text(512).optional(),
    key_type: text(64),
    key_fingerprint: text(128),
    /** `unknown`, `changed`, `expired`, ... */
    reason: text(128),
  }),
});

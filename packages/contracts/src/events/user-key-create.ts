import { z } from "zod";
import { defineEvent, text } from "./descriptor.ts";

export const userKeyCreate = defineEvent({
  event: "user.key.create",
  codes: { success: "GH1002I" },
  category: "administrative",
  severity: "info",
  description: "A public key was registered for a person.",
  fields: z.strictObject({
    user_id: text(64),
    name: text(256),
    key_type: text(64),
    key_fingerprint: text(128),
  }),
});

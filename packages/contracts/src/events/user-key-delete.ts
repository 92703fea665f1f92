import { z } from "zod";
import { defineEvent, text } from "./descriptor.ts";

export const userKeyDelete = defineEvent({
  event: "user.key.delete",
  codes: { success: "GH1003I" },
  category: "administrative",
  severity: "info",
  description: "A public key of a person was removed.",
  fields: z.strictObject({
    user_id: text(64),
    name: text(256),
    key_fingerprint: text(128),
  }),
});

import { z } from "zod";
import { defineEvent, text } from "./descriptor.ts";

export const userLogout = defineEvent({
  event: "user.logout",
  codes: { success: "GH1001I" },
  category: "authentication",
  severity: "info",
  description: "A person signed out of the web pages, or was signed out.",
  fields: z.strictObject({
    reason: z.enum(["asked", "expired", "revoked"]),
    /** Whose session it was, where somebody ended one that was not the one they asked with. */
    owner: text(256).optional(),
    web_session_id: text(64).optional(),
  }),
});

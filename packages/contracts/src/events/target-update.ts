import { z } from "zod";
import { defineEvent, text } from "./descriptor.ts";

export const targetUpdate = defineEvent({
  event: "target.update",
  codes: { success: "GH4002I" },
  category: "administrative",
  severity: "info",
  description: "A target's address, logins or policy changed.",
  fields: z.strictObject({
    name: text(256),
    /** The names of the fields that changed. */
    changed: z.array(text(64)).max(32),
  }),
});

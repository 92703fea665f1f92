import { z } from "zod";
import { defineEvent, text } from "./descriptor.ts";

export const userUpdate = defineEvent({
  event: "user.update",
  codes: { success: "T1003I" },
  category: "administrative",
  severity: "info",
  description: "A person's name, roles or standing changed.",
  fields: z.strictObject({
    user_id: text(64),
    name: text(256),
    roles: z.array(text(64)).max(64).optional(),
    disabled: z.boolean().optional(),
    /** The names of the fields that changed. */
    changed: z.array(text(64)).max(32),
  }),
});

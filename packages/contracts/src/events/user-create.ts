import { z } from "zod";
import { defineEvent, text } from "./descriptor.ts";

export const userCreate = defineEvent({
  event: "user.create",
  codes: { success: "T1002I" },
  category: "administrative",
  severity: "info",
  description: "A person was added.",
  fields: z.strictObject({
    user_id: text(64),
    name: text(256),
    roles: z.array(text(64)).max(64),
  }),
});

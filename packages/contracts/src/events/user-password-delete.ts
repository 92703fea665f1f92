import { z } from "zod";
import { defineEvent, text } from "./descriptor.ts";

export const userPasswordDelete = defineEvent({
  event: "user.password_delete",
  codes: { success: "GH1051I" },
  category: "authentication",
  severity: "info",
  description: "A password was taken away: it lets nobody in any more.",
  fields: z.strictObject({ user_id: text(64), name: text(256) }),
});

import { z } from "zod";
import { defineEvent, text } from "./descriptor.ts";

export const userPasswordChange = defineEvent({
  event: "user.password_change",
  codes: { success: "T1005I", failure: "GH1050W" },
  category: "authentication",
  severity: "info",
  description: "A person set their password, or tried to without the one that they have.",
  fields: z.strictObject({ user_id: text(64), name: text(256), error: text().optional() }),
});

import { z } from "zod";
import { defineEvent, text } from "./descriptor.ts";

export const loginLinkCreate = defineEvent({
  event: "login_link.create",
  codes: { success: "GH1004I" },
  category: "administrative",
  severity: "info",
  description: "A one-time link to sign in with was made.",
  fields: z.strictObject({
    user_id: text(64),
    name: text(256),
    expires: text(64),
  }),
});

import { z } from "zod";
import { defineEvent } from "./descriptor.ts";

export const userLogout = defineEvent({
  event: "user.logout",
  codes: { success: "GH1001I" },
  category: "authentication",
  severity: "info",
  description: "A person signed out of the web pages, or was signed out.",
  fields: z.strictObject({ reason: z.enum(["asked", "expired", "revoked"]) }),
});

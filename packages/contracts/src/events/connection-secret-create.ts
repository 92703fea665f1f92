import { z } from "zod";
import { defineEvent, text } from "./descriptor.ts";

export const connectionSecretCreate = defineEvent({
  event: "connection_secret.create",
  codes: { success: "GH1005I" },
  category: "authentication",
  severity: "info",
  description: "A person was given a short-lived secret for a client that signs in with a password.",
  fields: z.strictObject({
    proto: text(64),
    login: text(128).optional(),
    /** ISO 8601. */
    expires: text(64),
  }),
});

import { z } from "zod";
import { defineEvent, text } from "./descriptor.ts";

export const credentialUpdate = defineEvent({
  event: "credential.update",
  codes: { success: "GH5002I" },
  category: "administrative",
  severity: "info",
  description: "A stored secret was replaced.",
  fields: z.strictObject({
    credential_id: text(64),
    name: text(256),
    kind: text(32),
  }),
});

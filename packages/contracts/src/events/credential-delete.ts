import { z } from "zod";
import { defineEvent, text } from "./descriptor.ts";

export const credentialDelete = defineEvent({
  event: "credential.delete",
  codes: { success: "GH5003I" },
  category: "administrative",
  severity: "info",
  description: "A stored secret was removed.",
  fields: z.strictObject({
    credential_id: text(64),
    name: text(256),
    kind: text(32),
  }),
});

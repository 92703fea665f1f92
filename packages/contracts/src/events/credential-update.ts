import { z } from "zod";
import { defineEvent, text } from "./descriptor.ts";

export const credentialUpdate = defineEvent({
  event: "credential.update",
  codes: { success: "GH5002I", failure: "GH5002W" },
  category: "administrative",
  severity: "info",
  description:
    "A stored secret was rotated: replaced once the target had let the gate in with the new one; or it was refused.",
  fields: z.strictObject({
    /** Of the new one; absent where it was refused, and the old one stays. */
    credential_id: text(64).optional(),
    name: text(256),
    kind: text(32),
    /** Why it was refused. */
    reason: text(1000).optional(),
  }),
});

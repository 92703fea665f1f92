import { z } from "zod";
import { defineEvent, text } from "./descriptor.ts";

export const credentialCreate = defineEvent({
  event: "credential.create",
  codes: { success: "GH5001I" },
  category: "administrative",
  severity: "info",
  description: "A target's secret was stored.",
  fields: z.strictObject({
    credential_id: text(64),
    name: text(256),
    kind: text(32),
  }),
});

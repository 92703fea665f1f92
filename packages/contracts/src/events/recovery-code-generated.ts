import { z } from "zod";
import { defineEvent, text } from "./descriptor.ts";

export const recoveryCodeGenerated = defineEvent({
  event: "recovery_code.generated",
  codes: { success: "T1008I" },
  category: "authentication",
  severity: "info",
  description: "Recovery codes were made and shown once; those before them are worth nothing.",
  fields: z.strictObject({ owner: text(256) }),
});

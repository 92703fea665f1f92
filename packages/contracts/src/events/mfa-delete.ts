import { z } from "zod";
import { defineEvent, factorFields } from "./descriptor.ts";

export const mfaDelete = defineEvent({
  event: "mfa.delete",
  codes: { success: "T1007I" },
  category: "authentication",
  severity: "warning",
  description: "A second factor was removed, by its owner or by an administrator.",
  fields: z.strictObject(factorFields),
});

import { z } from "zod";
import { defineEvent, factorFields } from "./descriptor.ts";

export const mfaAdd = defineEvent({
  event: "mfa.add",
  codes: { success: "T1006I" },
  category: "authentication",
  severity: "info",
  description: "A person added a second factor.",
  fields: z.strictObject(factorFields),
});

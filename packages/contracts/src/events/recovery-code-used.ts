import { z } from "zod";
import { count, defineEvent } from "./descriptor.ts";

export const recoveryCodeUsed = defineEvent({
  event: "recovery_code.used",
  codes: { success: "T1009I", failure: "T1009W" },
  category: "authentication",
  severity: "warning",
  description: "A recovery code stood in for a second factor, or one that is not good was tried.",
  fields: z.strictObject({
    /** How many are left. */
    left: count(),
  }),
});

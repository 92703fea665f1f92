import { z } from "zod";
import { defineEvent, instant, lockFields } from "./descriptor.ts";

export const lockCreated = defineEvent({
  event: "lock.created",
  codes: { success: "TLK00I" },
  category: "security",
  severity: "warning",
  description: "Somebody or something was locked.",
  fields: z.strictObject({
    ...lockFields,
    expires: instant().optional(),
  }),
});

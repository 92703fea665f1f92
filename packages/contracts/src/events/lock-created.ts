import { z } from "zod";
import { defineEvent, instant, text } from "./descriptor.ts";

const fields = {
  lock_id: text(64),
  /** `user`, `role`, `target`, `login` or `address`. */
  on: text(16),
  name: text(128),
  reason: text(1000),
};

export const lockCreated = defineEvent({
  event: "lock.created",
  codes: { success: "TLK00I" },
  category: "security",
  severity: "warning",
  description: "Somebody or something was locked.",
  fields: z.strictObject({
    ...fields,
    expires: instant().optional(),
  }),
});

import { z } from "zod";
import { defineEvent, text } from "./descriptor.ts";

const fields = {
  lock_id: text(64),
  /** `user`, `role`, `target`, `login` or `address`. */
  on: text(16),
  name: text(128),
  reason: text(1000),
};

export const lockDeleted = defineEvent({
  event: "lock.deleted",
  codes: { success: "TLK01I" },
  category: "security",
  severity: "info",
  description: "A lock was lifted.",
  fields: z.strictObject(fields),
});

import { z } from "zod";
import { defineEvent, lockFields } from "./descriptor.ts";

export const lockDeleted = defineEvent({
  event: "lock.deleted",
  codes: { success: "TLK01I" },
  category: "security",
  severity: "info",
  description: "A lock was lifted.",
  fields: z.strictObject(lockFields),
});

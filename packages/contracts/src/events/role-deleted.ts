import { z } from "zod";
import { defineEvent, roleFields } from "./descriptor.ts";

export const roleDeleted = defineEvent({
  event: "role.deleted",
  codes: { success: "T9001I" },
  category: "administrative",
  severity: "info",
  description: "An operator-defined role was taken away.",
  fields: z.strictObject(roleFields),
});

import { z } from "zod";
import { defineEvent, roleFields } from "./descriptor.ts";

export const roleCreated = defineEvent({
  event: "role.created",
  codes: { success: "T9000I" },
  category: "administrative",
  severity: "info",
  description: "An operator-defined role was made.",
  fields: z.strictObject(roleFields),
});

import { z } from "zod";
import { defineEvent, roleFields } from "./descriptor.ts";

export const roleUpdated = defineEvent({
  event: "role.updated",
  codes: { success: "T9002I" },
  category: "administrative",
  severity: "info",
  description: "What an operator-defined role allows changed.",
  fields: z.strictObject(roleFields),
});

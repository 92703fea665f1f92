import { z } from "zod";
import { accessRequestFields, defineEvent } from "./descriptor.ts";

export const accessRequestDelete = defineEvent({
  event: "access_request.delete",
  codes: { success: "T5003I" },
  category: "access",
  severity: "info",
  description: "Who had asked for access took it back.",
  fields: z.strictObject(accessRequestFields),
});

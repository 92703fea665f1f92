import { z } from "zod";
import { accessRequestFields, count, defineEvent, text } from "./descriptor.ts";

export const accessRequestCreate = defineEvent({
  event: "access_request.create",
  codes: { success: "T5000I" },
  category: "access",
  severity: "info",
  description: "Somebody asked for access.",
  fields: z.strictObject({ ...accessRequestFields, reason: text(1000), minutes: count() }),
});

import { z } from "zod";
import { accessRequestFields, defineEvent, instant, text } from "./descriptor.ts";

export const accessRequestUpdate = defineEvent({
  event: "access_request.update",
  codes: { success: "T5001I" },
  category: "access",
  severity: "info",
  description: "A request was approved or denied.",
  fields: z.strictObject({ ...accessRequestFields, state: text(16), expires: instant().optional() }),
});

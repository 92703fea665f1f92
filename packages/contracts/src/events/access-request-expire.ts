import { z } from "zod";
import { accessRequestFields, defineEvent, text } from "./descriptor.ts";

export const accessRequestExpire = defineEvent({
  event: "access_request.expire",
  codes: { success: "T5005I" },
  category: "access",
  severity: "info",
  description: "A request was not answered in time, or approved access ended.",
  fields: z.strictObject({ ...accessRequestFields, state: text(16) }),
});

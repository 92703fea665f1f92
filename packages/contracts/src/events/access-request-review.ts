import { z } from "zod";
import { accessRequestFields, defineEvent, text } from "./descriptor.ts";

export const accessRequestReview = defineEvent({
  event: "access_request.review",
  codes: { success: "T5002I" },
  category: "access",
  severity: "info",
  description: "Somebody said yes or no to a request.",
  fields: z.strictObject({ ...accessRequestFields, verdict: text(16), comment: text(1000) }),
});

import { z } from "zod";
import { defineEvent, text } from "./descriptor.ts";

export const targetDelete = defineEvent({
  event: "target.delete",
  codes: { success: "GH4003I" },
  category: "administrative",
  severity: "info",
  description: "A target was removed.",
  fields: z.strictObject({
    name: text(256),
  }),
});

import { z } from "zod";
import { defineEvent, text } from "./descriptor.ts";

export const retentionClock = defineEvent({
  event: "retention.clock",
  codes: { success: "GH2006I", failure: "GH2006E" },
  category: "security",
  severity: "critical",
  description:
    "The gateway's clock cannot be believed, so that nothing is removed by its word; or it is believed again.",
  fields: z.strictObject({ detail: text(), reason: text(1024).optional() }),
});

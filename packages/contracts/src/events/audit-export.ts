import { z } from "zod";
import { defineEvent, text } from "./descriptor.ts";

export const auditExport = defineEvent({
  event: "audit.export",
  codes: { success: "GH2051I" },
  category: "access",
  severity: "info",
  description: "Somebody takes the audit log away, or a part of it; written before it leaves.",
  fields: z.strictObject({
    /** `web`, `cli`, or an API that a program asked by: `rest`, `grpc`. */
    from: text(32),
    /** Which events, as JSON; all where there is nothing in it. */
    filters: text(4096),
  }),
});

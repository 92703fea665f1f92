import { z } from "zod";
import { count, defineEvent, text } from "./descriptor.ts";

export const gatewayStart = defineEvent({
  event: "gateway.start",
  codes: { success: "GH0001I" },
  category: "administrative",
  severity: "info",
  description: "The gateway started and admits sessions.",
  fields: z.strictObject({
    gateway_id: text(64),
    version: text(32),
    mode: text(32),
    /** Sessions that the last run left open. */
    interrupted_sessions: count(),
  }),
});

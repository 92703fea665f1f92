import { z } from "zod";
import { defineEvent, text } from "./descriptor.ts";

export const gatewayStop = defineEvent({
  event: "gateway.stop",
  codes: { success: "GH0002I" },
  category: "administrative",
  severity: "info",
  description: "The gateway stopped in an orderly way.",
  fields: z.strictObject({
    gateway_id: text(64),
    reason: text(256),
  }),
});

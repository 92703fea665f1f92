import { z } from "zod";
import { defineEvent, text } from "./descriptor.ts";

export const targetCreate = defineEvent({
  event: "target.create",
  codes: { success: "GH4001I" },
  category: "administrative",
  severity: "info",
  description: "A target was registered.",
  fields: z.strictObject({
    name: text(256),
    proto: text(64),
    addr: text(512),
    logins: z.array(text(256)).max(256),
  }),
});

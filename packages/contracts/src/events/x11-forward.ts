import { z } from "zod";
import { defineEvent, text } from "./descriptor.ts";

export const x11Forward = defineEvent({
  event: "x11-forward",
  codes: { success: "T3008I", failure: "T3008W" },
  category: "session",
  severity: "info",
  description: "X11 forwarding was asked for, and allowed or refused.",
  fields: z.strictObject({ error: text().optional() }),
});

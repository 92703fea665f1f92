import { z } from "zod";
import { defineEvent, text } from "./descriptor.ts";

export const subsystem = defineEvent({
  event: "subsystem",
  codes: { success: "T3001I", failure: "T3001E" },
  category: "session",
  severity: "info",
  description: "A subsystem such as sftp was asked for.",
  fields: z.strictObject({
    login: text(256).optional(),
    name: text(256),
    exit_error: text().optional(),
  }),
});

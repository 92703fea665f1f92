import { z } from "zod";
import { defineEvent, text } from "./descriptor.ts";

export const exec = defineEvent({
  event: "exec",
  codes: { success: "T3002I", failure: "T3002E" },
  category: "session",
  severity: "info",
  description: "A command was run on a target, or could not be run.",
  fields: z.strictObject({
    login: text(256).optional(),
    command: text(65_536),
    exit_code: z.int().optional(),
    exit_signal: text(32).optional(),
    exit_error: text().optional(),
  }),
});

import { z } from "zod";
import { defineEvent, text } from "./descriptor.ts";

export const agentForward = defineEvent({
  event: "agent-forward",
  codes: { success: "GH3001I", failure: "GH3001W" },
  category: "session",
  severity: "info",
  description: "Forwarding of the person's SSH agent was asked for, and allowed or refused.",
  fields: z.strictObject({ error: text().optional() }),
});

import { z } from "zod";
import { defineEvent, text } from "./descriptor.ts";

const fields = z.strictObject({
  team_id: text(64),
  name: text(64),
  /** Names; those who lead are among both. */
  members: z.array(text(256)).max(1000).optional(),
  leads: z.array(text(256)).max(1000).optional(),
});

export const teamDelete = defineEvent({
  event: "team.delete",
  codes: { success: "GH6003I" },
  category: "administrative",
  severity: "info",
  description: "A team was dissolved.",
  fields,
});

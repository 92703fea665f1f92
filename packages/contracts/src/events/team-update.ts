import { z } from "zod";
import { defineEvent, teamFields } from "./descriptor.ts";

export const teamUpdate = defineEvent({
  event: "team.update",
  codes: { success: "GH6002I" },
  category: "administrative",
  severity: "info",
  description: "A team's description, or who is in it and leads it, changed.",
  fields: z.strictObject(teamFields),
});

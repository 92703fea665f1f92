import { z } from "zod";
import { defineEvent, teamFields } from "./descriptor.ts";

export const teamDelete = defineEvent({
  event: "team.delete",
  codes: { success: "GH6003I" },
  category: "administrative",
  severity: "info",
  description: "A team was dissolved.",
  fields: z.strictObject(teamFields),
});

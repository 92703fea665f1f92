import { z } from "zod";
import { defineEvent, teamFields } from "./descriptor.ts";

export const teamCreate = defineEvent({
  event: "team.create",
  codes: { success: "GH6001I" },
  category: "administrative",
  severity: "info",
  description: "A team was made.",
  fields: z.strictObject(teamFields),
});

import { z } from "zod";
import { apiTokenFields, defineEvent } from "./descriptor.ts";

export const apiTokenCreate = defineEvent({
  event: "api_token.create",
  codes: { success: "GH1006I" },
  category: "authentication",
  severity: "info",
  description: "A token for a program was made.",
  fields: z.strictObject(apiTokenFields),
});

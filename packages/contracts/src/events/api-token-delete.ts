import { z } from "zod";
import { apiTokenFields, defineEvent } from "./descriptor.ts";

export const apiTokenDelete = defineEvent({
  event: "api_token.delete",
  codes: { success: "GH1007I" },
  category: "authentication",
  severity: "info",
  description: "A token for a program was revoked.",
  fields: z.strictObject(apiTokenFields),
});

import { z } from "zod";
import { defineEvent, text } from "./descriptor.ts";

export const apiTokenDelete = defineEvent({
  event: "api_token.delete",
  codes: { success: "GH1007I" },
  category: "authentication",
  severity: "info",
  description: "A token for a program was revoked.",
  fields: z.strictObject({
    token_id: text(64),
    name: text(64),
    /** Whose it is. */
    owner: text(256),
    scopes: z.array(text(64)).max(64),
    /** ISO 8601. */
    expires: text(64),
  }),
});

import { z } from "zod";
import { defineEvent, text } from "./descriptor.ts";

export const auth = defineEvent({
  event: "auth",
  codes: { success: "T3007W" },
  category: "authentication",
  severity: "warning",
  description:
    "Somebody failed to authenticate: a key nobody registered, a broken signature, too many attempts.",
  fields: z.strictObject({
    method: text(64),
    proto: text(64).optional(),
    key_fingerprint: text(128).optional(),
    /** What they asked for, as they wrote it. */
    login: text(512).optional(),
    connection_id: text(64).optional(),
    client: text(512).optional(),
    message: text(),
    error: text(64).optional(),
  }),
});

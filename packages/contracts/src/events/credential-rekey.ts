import { z } from "zod";
import { count, defineEvent, text } from "./descriptor.ts";

export const credentialRekey = defineEvent({
  event: "credential.rekey",
  codes: { success: "GH5004I" },
  category: "administrative",
  severity: "warning",
  description: "All stored secrets were sealed anew under a new key.",
  fields: z.strictObject({
    phase: z.enum(["begins", "done"]),
    /** Names the key that seals now; it is not the key. */
    key_id: text(32).optional(),
    resealed: count().optional(),
    keys_dropped: count().optional(),
    unreadable: count().optional(),
  }),
});

import { z } from "zod";
import { count, defineEvent } from "./descriptor.ts";

export const recordingsRecover = defineEvent({
  event: "recordings.recover",
  codes: { success: "GH0003I" },
  category: "administrative",
  severity: "warning",
  description: "The list of sessions was rebuilt from what the store of recordings holds.",
  fields: z.strictObject({
    /** Recordings that the store holds. */
    found: count(),
    /** Sessions that the list did not have. */
    added: count(),
    /** Sessions that the list had otherwise. */
    corrected: count(),
    /** Recordings that the store itself held, and the list did not know to be held. */
    held: count().optional(),
    /** Recordings that are not whole, not trusted, or not readable. */
    faulty: count(),
  }),
});

import { z } from "zod";
import { count, defineEvent } from "./descriptor.ts";

export const sessionData = defineEvent({
  event: "session.data",
  codes: { success: "T2006I" },
  category: "session",
  severity: "info",
  description: "How much passed in a session, told at its end.",
  fields: z.strictObject({
    /** Bytes to the person. */
    tx: count(),
    /** Bytes from the person. */
    rx: count(),
  }),
});

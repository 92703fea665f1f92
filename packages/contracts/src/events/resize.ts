import { z } from "zod";
import { count, defineEvent, text } from "./descriptor.ts";

export const resize = defineEvent({
  event: "resize",
  codes: { success: "T2002I" },
  category: "session",
  severity: "info",
  description: "The terminal of a session changed its size.",
  fields: z.strictObject({
    /** `columns:rows` */
    size: text(16),
    cols: count(),
    rows: count(),
  }),
});

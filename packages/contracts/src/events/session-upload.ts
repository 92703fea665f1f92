import { z } from "zod";
import { count, defineEvent, sha256, text } from "./descriptor.ts";

export const sessionUpload = defineEvent({
  event: "session.upload",
  codes: { success: "T2005I" },
  category: "session",
  severity: "info",
  description: "A recording is wholly in the store, read back and verified.",
  fields: z.strictObject({
    /** Where it lies: the prefix of its objects. */
    url: text(1024).optional(),
    frames: count().optional(),
    bytes: count().optional(),
    head_sha256: sha256().optional(),
  }),
});

import { z } from "zod";
import { defineEvent, instant, text } from "./descriptor.ts";

export const sessionPrune = defineEvent({
  event: "session.prune",
  codes: { success: "GH2009I" },
  category: "administrative",
  severity: "info",
  description:
    "What is known of sessions is removed, its retention over and their recordings gone; written before it is.",
  fields: z.strictObject({
    /** They ended before. */
    before: instant(),
    session_ids: z.array(text(64)).max(500),
  }),
});

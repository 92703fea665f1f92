import { z } from "zod";
import { count, defineEvent, text } from "./descriptor.ts";

const ids = () => z.array(text(64)).max(1000);

export const sessionRecordingSearch = defineEvent({
  event: "session.recording.search",
  codes: { success: "GH2050I" },
  category: "access",
  severity: "info",
  description:
    "Somebody searched through recordings: one event for each page of what was found, written before it leaves.",
  fields: z.strictObject({
    /** The same in all pages of one search. */
    search_id: text(64),
    page: count(),
    /** `web`, `cli`, or an API that a program asked by: `rest`, `grpc`. */
    from: text(32),
    /** What was searched for. */
    query: text(1024),
    mode: text(32),
    sources: z.array(text(32)).max(8).optional(),
    /** Whose and which sessions: JSON. */
    filters: text(4096),
    /** Sessions whose recordings were opened for this page, and those of them in which it was found. */
    opened: ids(),
    found: ids(),
    /** Whether what was typed was searched too, in any of them. */
    input: z.boolean(),
    /** Whether the policy of any of what was found demands that their name stands over it. */
    watermark: z.literal(true).optional(),
    /** How far the search is: so many of so many sessions. */
    searched: count(),
    sessions: count(),
  }),
});

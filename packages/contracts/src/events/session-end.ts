import { z } from "zod";
import { count, defineEvent, instant, sessionFields, sha256, text } from "./descriptor.ts";

export const sessionEnd = defineEvent({
  event: "session.end",
  codes: { success: "T2004I" },
  category: "session",
  severity: "info",
  description: "A session ended, or was found interrupted at the start of the gateway.",
  fields: z.strictObject({
    ...sessionFields,
    reason: text(64),
    detail: text().optional(),
    /** Who ended it, where that was not one of its two sides. */
    ended_by: text(256).optional(),
    session_start: instant(),
    session_stop: instant(),
    duration_ms: count(),
    exit_status: z.int().optional(),
    exit_signal: text(32).optional(),
    /** Of the recording. */
    frames: count().optional(),
    bytes: count().optional(),
    /** The head of the recording's chain, so that a shortened recording is found out. */
    head_sha256: sha256().optional(),
  }),
});

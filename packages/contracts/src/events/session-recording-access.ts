import { z } from "zod";
import { defineEvent, text } from "./descriptor.ts";

export const sessionRecordingAccess = defineEvent({
  event: "session.recording.access",
  codes: { success: "T2012I", failure: "GH2002W" },
  category: "access",
  severity: "info",
  description: "Somebody opened a recording, or was refused; written before its bytes leave.",
  fields: z.strictObject({
    action: z.enum(["play", "download", "export", "search", "verify"]),
    /** `web`, `cli`, or an API that a program asked by: `rest`, `grpc`. */
    from: text(32).optional(),
    /** Of an export: `asciicast`, `text`, ... */
    format: text(32).optional(),
    /** What was searched for. */
    query: text(1024).optional(),
    /** How: `any-case`, `exact`, `regex`; and in what, where not in all that they may see. */
    mode: text(32).optional(),
    sources: z.array(text(32)).max(8).optional(),
    /** Whose session it was. */
    owner: text(256).optional(),
    /** Whether what was typed was shown too. */
    input: z.boolean().optional(),
    /** Whether the policy demands that their name stands over what they see. */
    watermark: z.literal(true).optional(),
    rule: text(128).optional(),
  }),
});

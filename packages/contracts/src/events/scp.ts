import { z } from "zod";
import { count, defineEvent, sha256, text } from "./descriptor.ts";

export const scp = defineEvent({
  event: "scp",
  codes: { success: "T3004I", failure: "T3004E", also: ["T3005I", "T3005E"] },
  codeOf: (fields, success) => (fields["action"] === "upload" ? (success ? "T3005I" : "T3005E") : undefined),
  category: "session",
  severity: "info",
  description: "A file was copied by the scp protocol.",
  fields: z.strictObject({
    /** Seen from the person. */
    action: z.enum(["upload", "download"]),
    path: text(),
    /** Bytes that passed. */
    len: count().optional(),
    /** Of the whole file, where the whole file passed. */
    sha256: sha256().optional(),
    /** Permission bits, octal: `0644`. */
    mode: text(8).optional(),
    error: text().optional(),
  }),
});

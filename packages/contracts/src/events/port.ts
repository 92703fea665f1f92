import { z } from "zod";
import { count, defineEvent, text } from "./descriptor.ts";

export const port = defineEvent({
  event: "port",
  codes: { success: "T3003I", failure: "T3003E", also: ["T3003S"] },
  codeOf: (fields, success) => (success && fields["action"] === "stop" ? "T3003S" : undefined),
  category: "session",
  severity: "info",
  description: "A port was forwarded: at its opening, at its refusal, and at its close with what passed.",
  fields: z.strictObject({
    action: z.enum(["start", "stop"]),
    /** Seen from the person: `local` is -L and -D, `remote` a connection that came in at -R, `listen` the -R itself. */
    direction: z.enum(["local", "remote", "listen"]),
    /** `host:port` of the destination, or what is listened on. */
    addr: text(512),
    /** `host:port` of who connected. */
    origin: text(512).optional(),
    /** From the person. */
    bytes_in: count().optional(),
    /** To the person. */
    bytes_out: count().optional(),
    duration_ms: count().optional(),
    error: text().optional(),
  }),
});

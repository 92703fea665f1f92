import { z } from "zod";
import { defineEvent, sessionFields, text } from "./descriptor.ts";

export const sessionRejected = defineEvent({
  event: "session.rejected",
  codes: { success: "T1006W" },
  category: "access",
  severity: "warning",
  description: "A session was refused before its target was dialled.",
  fields: z.strictObject({
    proto: sessionFields.proto,
    kind: sessionFields.kind.optional(),
    login: sessionFields.login.optional(),
    /** As the person named it; it may not exist. */
    server_hostname: text(256).optional(),
    server_addr: sessionFields.server_addr,
    connection_id: text(64).optional(),
    /** An error code: `denied`, `recording_unavailable`, `not_found`, ... */
    reason: text(64),
    message: text(),
    /** The rule that decided, where it was a decision. */
    rule: text(128).optional(),
  }),
});

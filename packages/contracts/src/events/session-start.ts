import { z } from "zod";
import { defineEvent, sessionFields, text } from "./descriptor.ts";

export const sessionStart = defineEvent({
  event: "session.start",
  codes: { success: "T2000I" },
  category: "session",
  severity: "info",
  description: "A session was admitted and its recording has begun.",
  fields: z.strictObject({
    ...sessionFields,
    gateway_id: text(64),
    /** Shared by all sessions of one client connection. */
    connection_id: text(64),
    /** The client's own identification. */
    client: text(256).optional(),
    initial_command: text(65_536).optional(),
    /** `columns:rows` of the terminal. */
    size: text(16).optional(),
    interactive: z.boolean(),
    /** The rule of access that allowed it. */
    rule: text(128).optional(),
    /** The approved access request that allowed it. */
    access_request_id: text(64).optional(),
  }),
});

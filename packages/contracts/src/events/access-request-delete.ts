import { z } from "zod";
import { defineEvent, text } from "./descriptor.ts";

const fields = {
  request_id: text(64),
  /** Who asked. */
  owner: text(256),
  /** `target` or `playback`. */
  kind: text(16),
  server_hostname: text(256),
  logins: z.array(text(128)).max(20).optional(),
};
const shared = { category: "access", severity: "info" } as const;

export const accessRequestDelete = defineEvent({
  event: "access_request.delete",
  codes: { success: "T5003I" },
  ...shared,
  description: "Who had asked for access took it back.",
  fields: z.strictObject(fields),
});

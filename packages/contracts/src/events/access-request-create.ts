import { z } from "zod";
import { count, defineEvent, text } from "./descriptor.ts";

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

export const accessRequestCreate = defineEvent({
  event: "access_request.create",
  codes: { success: "T5000I" },
  ...shared,
  description: "Somebody asked for access.",
  fields: z.strictObject({ ...fields, reason: text(1000), minutes: count() }),
});

import { z } from "zod";
import { defineEvent, instant, text } from "./descriptor.ts";

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

export const accessRequestUpdate = defineEvent({
  event: "access_request.update",
  codes: { success: "T5001I" },
  ...shared,
  description: "A request was approved or denied.",
  fields: z.strictObject({ ...fields, state: text(16), expires: instant().optional() }),
});

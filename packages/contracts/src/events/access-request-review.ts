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

export const accessRequestReview = defineEvent({
  event: "access_request.review",
  codes: { success: "T5002I" },
  ...shared,
  description: "Somebody said yes or no to a request.",
  fields: z.strictObject({ ...fields, verdict: text(16), comment: text(1000) }),
});

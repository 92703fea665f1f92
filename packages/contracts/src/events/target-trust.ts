import { z } from "zod";
import { defineEvent, text } from "./descriptor.ts";

export const targetTrust = defineEvent({
  event: "target.trust",
  codes: { success: "GH4004I" },
  category: "administrative",
  severity: "info",
  description: "An administrator accepted a key as the target's own.",
  fields: z.strictObject({
    name: text(256),
    key_type: text(64),
    key_fingerprint: text(128),
    /** Whether a host key was pinned or a certificate authority accepted. */
    as: z.enum(["host_key", "authority"]),
  }),
});

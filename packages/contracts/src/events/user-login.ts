import { z } from "zod";
import { defineEvent, text } from "./descriptor.ts";

export const userLogin = defineEvent({
  event: "user.login",
  // Teleport's codes for local accounts, and for those of an identity provider.
  codes: { success: "T1000I", failure: "T1000W", also: ["T1001I", "T1001W"] },
  codeOf: (fields, success) => (fields["method"] === "oidc" ? (success ? "T1001I" : "T1001W") : undefined),
  category: "authentication",
  severity: "info",
  description: "A person signed in, or an attempt that named a person failed.",
  fields: z.strictObject({
    /** `ssh_key`, `login_link`, `password`, ... */
    method: text(64),
    /** Whether a second factor was given as well. */
    second_factor: z.boolean().optional(),
    proto: text(64).optional(),
    key_fingerprint: text(128).optional(),
    /** Of the certificate that was shown. */
    cert_serial: text(20).optional(),
    connection_id: text(64).optional(),
    client: text(512).optional(),
    /** Where a sign-in of the command line was approved. */
    approved_from: text(64).optional(),
    error: text().optional(),
  }),
});

import { z } from "zod";
import { count, defineEvent, instant, sha256, text } from "./descriptor.ts";

export const auditPrune = defineEvent({
  event: "audit.prune",
  codes: { success: "GH2008I" },
  category: "administrative",
  severity: "info",
  description:
    "The beginning of the audit log, its retention over, is removed; written before it is. What remains verifies from here.",
  fields: z.strictObject({
    /** The last event that is removed: its index and hash, which the first that remains carries on. */
    up_to: count(),
    pruned_hash: sha256(),
    /** All that is removed is older. */
    before: instant(),
    /** Ed25519 key of the gateway, in base64. */
    signer: text(64),
    /** Of these three, in base64: docs/stores.md. */
    signature: text(128),
  }),
});

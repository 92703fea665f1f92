import { z } from "zod";
import { certificateFields, defineEvent } from "./descriptor.ts";

export const certCreate = defineEvent({
  event: "cert.create",
  codes: { success: "TC000I" },
  category: "authentication",
  severity: "info",
  description: "A person was given a certificate for a key of theirs.",
  fields: z.strictObject(certificateFields),
});

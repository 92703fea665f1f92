import { z } from "zod";
import { certificateFields, defineEvent } from "./descriptor.ts";

export const certDelete = defineEvent({
  event: "cert.delete",
  codes: { success: "GH1043W" },
  category: "security",
  severity: "warning",
  description: "A person's certificate was revoked before it expired.",
  fields: z.strictObject(certificateFields),
});

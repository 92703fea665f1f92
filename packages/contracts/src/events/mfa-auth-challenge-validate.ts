import { z } from "zod";
import { defineEvent, text } from "./descriptor.ts";

export const mfaChallengeValidate = defineEvent({
  event: "mfa_auth_challenge.validate",
  codes: { success: "T1016I", failure: "GH1052W" },
  category: "authentication",
  severity: "info",
  description: "Somebody who is signed in gave a second factor once more, or tried to.",
  fields: z.strictObject({ web_session_id: text(64), error: text().optional() }),
});

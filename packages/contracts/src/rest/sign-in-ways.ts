import { z } from "zod";

/** `GET /auth/providers`: what the sign-in page offers beside its own. */
export const signInProviders = z
  .object({
    items: z.array(z.object({ name: z.string(), url: z.string().meta({ description: "Where it begins" }) })),
  })
  .meta({ id: "SignInProviders" });
export type SignInProviders = z.infer<typeof signInProviders>;

import { z } from "zod";
import { time } from "./shapes.ts";

/** What the sign-in page offers, in its order. Another way in is another kind here. */
export const wayIn = z
  .discriminatedUnion("kind", [
    z.object({ kind: z.literal("password") }),
    z.object({ kind: z.literal("passkey") }),
    z.object({ kind: z.literal("link") }),
    z.object({
      kind: z.literal("provider"),
      name: z.string().meta({ description: "What people call the identity provider" }),
      url: z.string().meta({ description: "Where it begins" }),
    }),
  ])
  .meta({ id: "WayIn" });
export type WayIn = z.infer<typeof wayIn>;

/** `POST /auth/password`. */
export const passwordSignIn = z
  .strictObject({
    name: z.string().min(1).max(128),
    password: z.string().min(1).max(1024),
  })
  .meta({ id: "PasswordSignIn" });
export type PasswordSignIn = z.infer<typeof passwordSignIn>;

/** `PUT /people/{id}/password`. */
export const passwordChange = z
  .strictObject({
    password: z.string().min(1).max(1024),
    current: z.string().max(1024).optional().meta({
      description: "The password that they have; not needed soon after a sign-in by a one-time link",
    }),
  })
  .meta({ id: "PasswordChange" });
export type PasswordChange = z.infer<typeof passwordChange>;

/** How somebody can sign in. */
export const signInFacts = z
  .object({
    password: z.object({ setAt: time }).nullable().meta({ description: "Null where they have none" }),
  })
  .meta({ id: "SignInFacts" });
export type SignInFacts = z.infer<typeof signInFacts>;

import { z } from "zod";
import { id, time } from "./shapes.ts";

/** A session of the web pages or of a command line. */
export const signIn = z
  .object({
    id,
    method: z.string().meta({ description: "How it began: `password`, `link`, `passkey`, `device_code`, …" }),
    remoteAddress: z.string().meta({ description: "Where it began" }),
    client: z.string().meta({ description: "What the browser or command said of itself" }),
    createdAt: time,
    lastSeenAt: time.meta({ description: "To the minute" }),
    expiresAt: time,
    mfaAt: time.nullable().meta({ description: "When a second factor was last given in it" }),
    current: z.boolean().meta({ description: "Whether it is the one that asks" }),
  })
  .meta({ id: "SignIn" });
export type SignIn = z.infer<typeof signIn>;

export const signInList = z.object({ items: z.array(signIn) }).meta({ id: "SignInList" });
export type SignInList = z.infer<typeof signInList>;

export const signInsEnded = z.object({ ended: z.int() }).meta({ id: "SignInsEnded" });
export type SignInsEnded = z.infer<typeof signInsEnded>;

import { z } from "zod";
import { id, time } from "./shapes.ts";

/** `POST /auth/link`: the one-time link's token, from the fragment of the address, never from a query string. */
export const linkExchange = z
  .strictObject({
    token: z.string().min(1).max(512).meta({ description: "What stands after `#token=` in the link" }),
  })
  .meta({ id: "LinkExchange" });
export type LinkExchange = z.infer<typeof linkExchange>;

/** Who is asking, and what the pages may offer them. */
export const me = z
  .object({
    id: z.string(),
    name: z.string(),
    roles: z.array(z.string()),
    via: z.enum(["web", "token", "admin-socket"]).meta({ description: "How this request proved who it is" }),
    /** How the web session began: `link`, `password`, …; null where it is none. */
    method: z.string().nullable(),
    /** When a second factor was last given in this session; null where none was. */
    mfaAt: time.nullable(),
    /** When the web session ends; null where it does not. */
    expiresAt: time.nullable(),
    /** The actions that are allowed on everything, for offering a place or not. The server decides each request anew. */
    may: z.array(z.string()),
    gateway: z.object({ id: z.string(), version: z.string() }),
  })
  .meta({ id: "Me" });
export type Me = z.infer<typeof me>;

/** `POST /people/{id}/sign-in-link`: shown once. */
export const signInLink = z
  .object({ personId: id, url: z.string(), expiresAt: time })
  .meta({ id: "SignInLink" });
export type SignInLink = z.infer<typeof signInLink>;

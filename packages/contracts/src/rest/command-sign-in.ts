import { z } from "zod";
import { id, time } from "./shapes.ts";

const urlSafe = /^[A-Za-z0-9_-]+$/;

/** `POST /auth/command`: the command line asks to be signed in with a browser. */
export const commandSignInAsk = z
  .strictObject({
    challenge: z
      .string()
      .length(43)
      .regex(urlSafe)
      .meta({ description: "SHA-256 of the command's secret, base64url (RFC 7636, S256)" }),
    client: z
      .string()
      .trim()
      .min(1)
      .max(64)
      .regex(/^[\x20-\x7e]+$/)
      .meta({ description: "The machine, for the person who is asked" }),
    callback: z
      .strictObject({
        port: z.int().min(1024).max(65_535),
        state: z.string().min(22).max(64).regex(urlSafe),
      })
      .optional()
      .meta({ description: "A port on 127.0.0.1 of the person's machine. Left out: a code is typed" }),
  })
  .meta({ id: "CommandSignInAsk" });
export type CommandSignInAsk = z.infer<typeof commandSignInAsk>;

export const commandSignInAsked = z
  .object({
    id,
    url: z.string().meta({ description: "For the person's browser" }),
    userCode: z.string().nullable().meta({ description: "What they type there; null with a callback" }),
    intervalMs: z.int(),
    expiresAt: time,
  })
  .meta({ id: "CommandSignInAsked" });
export type CommandSignInAsked = z.infer<typeof commandSignInAsked>;

export const commandSignInFetch = z
  .strictObject({
    id,
    verifier: z.string().min(43).max(128).regex(urlSafe),
    code: z.string().max(64).optional().meta({ description: "What the callback was given" }),
  })
  .meta({ id: "CommandSignInFetch" });
export type CommandSignInFetch = z.infer<typeof commandSignInFetch>;

/** `slow_down`: it asked too soon, and the interval has grown. */
export const commandSignInFetched = z
  .discriminatedUnion("status", [
    z.object({ status: z.enum(["pending", "slow_down"]), intervalMs: z.int() }),
    z.object({ status: z.literal("done"), token: z.string(), expiresAt: time }),
  ])
  .meta({ id: "CommandSignInFetched" });
export type CommandSignInFetched = z.infer<typeof commandSignInFetched>;

/** One of the two. */
const named = {
  id: id.optional(),
  userCode: z
    .string()
    .max(32)
    .optional()
    .meta({ description: "As it was typed: capitals, dashes and blanks do not matter" }),
};
export const commandSignInQuery = z.strictObject(named);
export type CommandSignInQuery = z.infer<typeof commandSignInQuery>;

/** Who and where asks, for the person to judge. */
export const commandSignIn = z
  .object({
    client: z.string().meta({ description: "What it says of itself; nothing that was proved" }),
    remoteAddress: z.string(),
    ownMachine: z.boolean().meta({ description: "Whether the answer goes to the person's own machine" }),
    createdAt: time,
    expiresAt: time,
  })
  .meta({ id: "CommandSignIn" });
export type CommandSignIn = z.infer<typeof commandSignIn>;

export const commandSignInAnswer = z
  .strictObject({ ...named, approve: z.boolean() })
  .meta({ id: "CommandSignInAnswer" });
export type CommandSignInAnswer = z.infer<typeof commandSignInAnswer>;

export const commandSignInAnswered = z
  .object({ returnTo: z.string().nullable().meta({ description: "Where the browser goes next" }) })
  .meta({ id: "CommandSignInAnswered" });
export type CommandSignInAnswered = z.infer<typeof commandSignInAnswered>;

import { z } from "zod";
import { id, pageQuery, time } from "./shapes.ts";

/** What a program signs in with, as its person. The token itself is shown once, when it is made. */
export const apiToken = z
  .object({
    id,
    name: z.string(),
    scopes: z.array(z.string()),
    createdAt: time,
    expiresAt: time,
    lastUsedAt: time.nullable(),
  })
  .meta({ id: "ApiToken" });
export type ApiToken = z.infer<typeof apiToken>;

export const apiTokenCreate = z
  .strictObject({
    name: z.string().trim().min(1).max(64).meta({ description: "What it is for" }),
    scopes: z
      .array(z.string().regex(/^[a-z]+\.([a-z_]+|\*)$/, "an action such as session.list, or session.*"))
      .min(1)
      .max(64)
      .meta({ description: "What it may be used for; it never allows what its person may not" }),
    days: z.int().min(1).max(366).default(90),
  })
  .meta({ id: "ApiTokenCreate" });
export type ApiTokenCreate = z.input<typeof apiTokenCreate>;

export const apiTokenMade = apiToken
  .extend({ token: z.string().meta({ description: "Shown once" }) })
  .meta({ id: "ApiTokenMade" });
export type ApiTokenMade = z.infer<typeof apiTokenMade>;

/** `GET /tokens`: everybody's. */
export const tokenQuery = z.strictObject(pageQuery);
export type TokenQuery = z.input<typeof tokenQuery>;

export const ownedToken = apiToken
  .extend({ owner: z.object({ id, name: z.string() }) })
  .meta({ id: "OwnedToken" });
export type OwnedToken = z.infer<typeof ownedToken>;

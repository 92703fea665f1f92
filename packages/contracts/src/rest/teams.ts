import { z } from "zod";
import { plainName } from "./plain-name.ts";
import { id, pageQuery, time } from "./shapes.ts";

/** People who belong together. Those who lead may watch, join and end the sessions of the others. */
export const team = z
  .object({
    id,
    name: z.string(),
    description: z.string(),
    members: z.array(z.object({ userId: id, name: z.string(), leads: z.boolean() })),
    createdAt: time,
  })
  .meta({ id: "Team" });
export type Team = z.infer<typeof team>;

export const teamQuery = z.strictObject({ ...pageQuery, q: z.string().max(256).optional() });
export type TeamQuery = z.input<typeof teamQuery>;

const members = z
  .array(z.strictObject({ userId: id, leads: z.boolean().default(false) }))
  .max(1000)
  .meta({ description: "All of them; whoever is not named is out" });
const description = z.string().max(1000);

export const teamCreate = z
  .strictObject({ name: plainName, description: description.default(""), members: members.default([]) })
  .meta({ id: "TeamCreate" });
export type TeamCreate = z.input<typeof teamCreate>;

export const teamUpdate = z
  .strictObject({ description: description.optional(), members: members.optional() })
  .meta({ id: "TeamUpdate" });
export type TeamUpdate = z.input<typeof teamUpdate>;

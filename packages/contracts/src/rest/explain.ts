import { z } from "zod";

/** `GET /access/explain`: what somebody would be told now, and by which rule. */
export const explainQuery = z.strictObject({
  user: z.string().min(1).max(128).meta({ description: "Name of the person" }),
  action: z.string().min(1).max(64).meta({ description: "`session.open`, `recording.play`, …" }),
  target: z.string().max(128).optional().meta({ description: "Name of the target that is meant" }),
  login: z.string().max(128).optional().meta({ description: "The account on it" }),
  session: z.uuid().optional().meta({ description: "The session, or its recording, that is meant" }),
  address: z.union([z.ipv4(), z.ipv6()]).optional().meta({ description: "Where they come from" }),
});
export type ExplainQuery = z.input<typeof explainQuery>;

export const explanation = z
  .object({
    allowed: z.boolean(),
    rule: z.string().meta({ description: "The rule that decided; `deny-by-default` where none allows it" }),
    wouldAllow: z
      .string()
      .nullable()
      .meta({ description: "The rule that would allow it, were there not what stands against it" }),
    because: z.string().nullable().meta({ description: "What stands against it, as they are told" }),
    request: z.string().nullable().meta({ description: "The approved request that it needs" }),
    roles: z.array(z.string()).meta({ description: "The roles that they have" }),
  })
  .meta({ id: "Explanation" });
export type Explanation = z.infer<typeof explanation>;

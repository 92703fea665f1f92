import { z } from "zod";

/** UUID, version 7: sorts by the time it was made. */
export const id = z.uuid().meta({ description: "UUID version 7" });
/** ISO 8601 in UTC, with milliseconds. */
export const time = z.iso.datetime().meta({ description: "ISO 8601, UTC" });
/** Opaque: hand back what the last page gave. */
const cursor = z.string().max(512).meta({ description: "Opaque. What the page before gave as `next`." });

/** The two parameters that every list takes. */
export const pageQuery = {
  cursor: cursor.optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50).meta({ description: "Entries per page" }),
};

/** A page of a list. `next` is null on the last one. */
export function page<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), next: cursor.nullable() });
}
export type Page<T> = { items: T[]; next: string | null };

/** RFC 9457 problem details. `code` is for machines and stable, `detail` and `hint` are for people. */
export const problem = z
  .object({
    type: z.string().meta({ description: "Always about:blank; `code` tells problems apart" }),
    title: z.string(),
    status: z.number().int(),
    code: z
      .string()
      .meta({ description: "The kind of failure, stable: `not_found`, `denied`, `invalid`, …" }),
    detail: z.string().meta({ description: "What happened" }),
    hint: z.string().optional().meta({ description: "What you can do about it" }),
    requestId: z.string().meta({ description: "Names this request in the gateway's log" }),
    fields: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .meta({ description: "For `invalid`: which field, and what was expected" }),
  })
  .meta({ id: "Problem" });
export type Problem = z.infer<typeof problem>;

export const problemContentType = "application/problem+json";

/** Whoever shows it to somebody has to show this with it. */
export const watermark = z.string().nullable().meta({
  description:
    "What the policy demands over what is shown: who looks, and when they asked; null where none is due",
});

/** The same of an answer that is no JSON, or has no place for it: percent-encoded UTF-8, absent where none is due. */
export const watermarkHeader = "gatehouse-watermark";

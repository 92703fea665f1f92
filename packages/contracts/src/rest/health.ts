import { z } from "zod";
import { recordingStates } from "./sessions.ts";
import { time } from "./shapes.ts";

/** `GET /health/live`: that the process answers; no more, for anybody. */
export const liveness = z.object({ status: z.literal("ok") }).meta({ id: "Liveness" });

/** Is everything recorded, stored, delivered? */
export const health = z
  .object({
    status: z.enum(["ok", "degraded", "refusing"]).meta({
      description: "`refusing`: recording cannot be guaranteed now, so no session is admitted",
    }),
    /** Why, one line each, where the status is not `ok`. */
    findings: z.array(
      z.object({
        level: z.enum(["ok", "warning", "problem"]),
        message: z.string(),
        hint: z.string().nullable(),
      }),
    ),
    gateway: z.object({ id: z.string(), version: z.string(), startedAt: time }),
    sessions: z.object({ live: z.number().int() }),
    journal: z.object({
      capacityBytes: z.number(),
      usedBytes: z.number(),
      reservedBytes: z.number(),
      failure: z.string().nullable(),
    }),
    shipping: z.object({
      waitingSegments: z.number().int(),
      waitingBytes: z.number(),
      lastError: z.string().nullable(),
    }),
    store: z.object({
      kind: z.string(),
      location: z.string(),
      reachable: z.boolean(),
      lastError: z.string().nullable(),
      overwrite: z.enum(["backend", "gatehouse", "none"]).meta({ description: "Who refuses to overwrite" }),
      deletion: z.enum(["backend", "gatehouse", "none"]).meta({ description: "Who refuses to delete early" }),
    }),
    keyServices: z
      .array(
        z.object({
          service: z.string().meta({ description: "`aws`, `gcp`, `azure` or `vault`" }),
          key: z.string(),
          wraps: z.enum(["all", "input"]).meta({
            description:
              "`input`: what was typed; `all`: what was shown, and what was typed where nothing stricter is configured",
          }),
          reachable: z.boolean().nullable().meta({ description: "Null before its first answer" }),
          lastError: z.string().nullable(),
          failedForMs: z.number().nullable(),
        }),
      )
      .meta({ description: "Key services that wrap the keys of new recordings; age recipients need none" }),
    recordings: z
      .record(z.enum(recordingStates), z.number().int())
      .nullable()
      .meta({ description: "How many recordings are in each state; null where the database does not say" }),
    audit: z.object({ appendable: z.boolean(), events: z.number().int(), lastError: z.string().nullable() }),
  })
  .meta({ id: "Health" });
export type Health = z.infer<typeof health>;

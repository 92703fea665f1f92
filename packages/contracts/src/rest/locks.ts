import { z } from "zod";
import { id, time } from "./shapes.ts";

export const lockedThings = ["user", "role", "target", "login", "address"] as const;

/** Somebody or something that is shut for now. */
export const lock = z
  .object({
    id,
    on: z.enum(lockedThings),
    name: z.string(),
    reason: z.string(),
    createdBy: z.string(),
    createdAt: time,
    until: time.nullable().meta({ description: "Null: until somebody lifts it" }),
  })
  .meta({ id: "Lock" });
export type Lock = z.infer<typeof lock>;

export const lockCreate = z
  .strictObject({
    on: z.enum(lockedThings),
    name: z.string().trim().min(1).max(128).meta({
      description: "The name of a person, role, target or login; an address or a network such as 10.0.0.0/8",
    }),
    reason: z.string().trim().min(1).max(1000).meta({ description: "Told to whoever is refused by it" }),
    seconds: z
      .int()
      .min(1)
      .max(366 * 24 * 3600)
      .optional()
      .meta({ description: "It ends by itself after so long" }),
  })
  .meta({ id: "LockCreate" });
export type LockCreate = z.input<typeof lockCreate>;

/** The lock, and the sessions that it ended on this gateway. */
export const lockSet = z.object({ lock, ended: z.array(id) }).meta({ id: "LockSet" });
export type LockSet = z.infer<typeof lockSet>;

/** `GET /locks/preview`: what a lock would do now. Nothing is locked by it. */
export const lockPreviewQuery = z.strictObject({
  on: z.enum(lockedThings),
  name: z.string().trim().min(1).max(128),
});
export type LockPreviewQuery = z.input<typeof lockPreviewQuery>;

export const lockPreview = z
  .object({
    sessions: z.number().int().meta({ description: "Live sessions on this gateway that would end" }),
    fault: z.string().nullable().meta({ description: "Why it would be refused" }),
  })
  .meta({ id: "LockPreview" });
export type LockPreview = z.infer<typeof lockPreview>;

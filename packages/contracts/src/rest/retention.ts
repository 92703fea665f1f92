import { z } from "zod";
import { recordingStates } from "./sessions.ts";
import { id, time } from "./shapes.ts";

/** What may be done about a recording by those who look after it. */
export const keepingActions = ["recording.hold", "recording.acknowledge"] as const;

const reason = z.string().trim().min(1).max(1000);

/** Why a recording is kept whatever its retention, and who wants it. */
export const legalHold = z
  .object({
    reason: z.string(),
    owner: z.string().meta({ description: "Who answers for it: a person, a department, a case" }),
    by: z.string().meta({ description: "Who set it" }),
    since: time,
    keptBy: z.enum(["backend", "gatehouse", "pending"]).meta({
      description:
        "`backend`: the store holds each object itself; `gatehouse`: this store keeps no holds, and Gatehouse alone removes nothing; `pending`: the store was not yet asked",
    }),
  })
  .meta({ id: "LegalHold" });
export type LegalHold = z.infer<typeof legalHold>;

export const holdCreate = z
  .strictObject({
    reason,
    owner: z.string().trim().min(1).max(256).optional().meta({ description: "Left out: who asks" }),
  })
  .meta({ id: "HoldCreate" });
export type HoldCreate = z.infer<typeof holdCreate>;

export const holdRelease = z.strictObject({ reason }).meta({ id: "HoldRelease" });
export type HoldRelease = z.infer<typeof holdRelease>;

export const retentionQuery = z.strictObject({
  until: time.optional().meta({ description: "What will have expired then; left out: now" }),
});
export type RetentionQuery = z.input<typeof retentionQuery>;

/** `GET /recordings/retention`: what would be removed. Nothing is. */
export const retentionReport = z
  .object({
    until: time,
    clock: z.object({
      believed: z.boolean(),
      detail: z.string().nullable().meta({ description: "Why nothing is removed, where it is not believed" }),
    }),
    recordings: z.int().meta({ description: "How many expire; held ones are not counted" }),
    bytes: z.int(),
    metadata: z
      .object({
        sessions: z.int().meta({ description: "Of how many sessions nothing will be known any more" }),
        auditEvents: z.int().meta({ description: "How many of the audit log's first events go" }),
      })
      .meta({ description: "What goes when its own retention is over and the recordings are gone" }),
    items: z
      .array(
        z.object({
          sessionId: id,
          user: z.string(),
          target: z.string(),
          startedAt: time,
          state: z.enum(recordingStates),
          bytes: z.int(),
          retainUntil: time,
          lockedUntil: time.nullable(),
          held: z.boolean().meta({ description: "It stays, for somebody holds it" }),
        }),
      )
      .meta({ description: "The first thousand, the first to expire first" }),
  })
  .meta({ id: "RetentionReport" });
export type RetentionReport = z.infer<typeof retentionReport>;

import { z } from "zod";
import { time } from "./shapes.ts";

export const moderationActions = [
  "session.join",
  "session.pause",
  "session.terminate",
  "session.review",
] as const;
export type ModerationAction = (typeof moderationActions)[number];

const person = z.object({ id: z.string(), name: z.string() });

/** A statement that waits until somebody else approves that it is run. */
const waitingStatement = z
  .object({
    statement: z.int().meta({ description: "Its number in the recording" }),
    rule: z.string().meta({ description: "The rule of the target that asks for the approval" }),
    text: z
      .string()
      .meta({ description: "As the recording shows it: without secrets, and with its values behind it" }),
    since: time,
    until: time.meta({ description: "When it is refused by itself" }),
    plan: z.string().nullable().meta({
      description: "What the database says that it would do; null where it was not or cannot be asked",
    }),
    planMissing: z.string().nullable().meta({ description: "Why there is no plan" }),
  })
  .meta({ id: "WaitingStatement" });
export type WaitingStatement = z.infer<typeof waitingStatement>;

/** How it stands with a session that is live on this gateway. */
export const liveState = z
  .object({
    paused: z
      .object({
        by: person,
        reason: z.string(),
        since: time,
        until: time.nullable().meta({ description: "When it ends by itself" }),
        discardedBytes: z.number().int().meta({ description: "Typed meanwhile, and dropped" }),
      })
      .nullable()
      .meta({ description: "Nothing that the person sends passes; what the target sends does" }),
    endsAt: time.nullable().meta({ description: "The person was warned that it will end then" }),
    isEnding: z.boolean(),
    lastActivityAt: time.meta({ description: "When something passed last" }),
    participants: z
      .array(
        z.object({
          id: z.string().meta({ description: "Tells two windows of one person apart" }),
          user: person,
          mode: z.enum(["observer"]),
          joinedAt: time,
        }),
      )
      .meta({ description: "Who looks on" }),
    waiting: z
      .array(waitingStatement)
      .meta({ description: "Statements that wait for an approval; for those who may decide about them" }),
    may: z.array(z.enum(moderationActions)).meta({ description: "What you may do to it" }),
  })
  .meta({ id: "LiveState" });
export type LiveState = z.infer<typeof liveState>;

const reason = z.string().trim().min(1).max(1000);

/** `POST /sessions/{id}/pause` */
export const sessionPause = z
  .strictObject({
    reason: reason.meta({ description: "Shown to the person, recorded and audited" }),
    limitSeconds: z
      .number()
      .int()
      .min(1)
      .max(604_800)
      .optional()
      .meta({ description: "The pause ends by itself after so long, or sooner where the gateway says so" }),
  })
  .meta({ id: "SessionPause" });
export type SessionPause = z.input<typeof sessionPause>;

/** `POST /sessions/{id}/resume` */
export const sessionResume = z.strictObject({ reason: reason.optional() }).meta({ id: "SessionResume" });
export type SessionResume = z.input<typeof sessionResume>;

/** `POST /sessions/{id}/terminate` */
export const sessionTerminate = z
  .strictObject({
    reason: reason.meta({ description: "Shown to the person, kept in `session.end`, audited" }),
    warning: reason.optional().meta({ description: "Shown to the person when the grace begins" }),
    graceSeconds: z
      .number()
      .int()
      .min(0)
      .max(3600)
      .optional()
      .meta({ description: "From now to the end. Otherwise 0, and with a warning what the gateway says" }),
  })
  .meta({ id: "SessionTerminate" });
export type SessionTerminate = z.input<typeof sessionTerminate>;

/** `POST /sessions/{id}/statements/{statement}/review` */
export const statementReview = z
  .strictObject({
    decision: z.enum(["approve", "deny"]),
    comment: reason.optional().meta({ description: "Shown to the person, recorded and audited" }),
  })
  .meta({ id: "StatementReview" });
export type StatementReview = z.input<typeof statementReview>;

/** `GET /sessions/{id}/live` */
export const liveQuery = z.strictObject({
  fromSeq: z.coerce
    .number()
    .int()
    .min(0)
    .default(0)
    .meta({ description: "The first frame that is wanted; for whoever has those before" }),
});
export type LiveQuery = z.input<typeof liveQuery>;

export type LiveNow = {
  /** Microseconds since the session began. */
  elapsedUs: number;
  /** How far behind that is what was sent so far; 0 where nothing is left to send. */
  behindUs: number;
  /** You were slower than the session: what follows is read from its recording, and nothing is left out. */
  resynced: boolean;
};

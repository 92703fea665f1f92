import { z } from "zod";
import { reviewers, roleName } from "./access.ts";
import { id, pageQuery, time } from "./shapes.ts";

export const requestStates = ["pending", "approved", "denied", "cancelled", "expired"] as const;

/** What somebody asked for, what others said to it, and until when it holds. */
export const accessRequest = z
  .object({
    id,
    state: z.enum(requestStates),
    user: z.object({ id, name: z.string() }),
    wanted: z.discriminatedUnion("kind", [
      z.object({
        kind: z.literal("target"),
        targetId: z.string(),
        targetName: z.string(),
        logins: z.array(z.string()),
      }),
      z.object({ kind: z.literal("role"), role: z.string() }),
      z.object({
        kind: z.literal("playback").meta({ description: "That a recording under four eyes is opened" }),
        sessionId: z.string(),
        targetId: z.string(),
        targetName: z.string(),
      }),
    ]),
    reason: z.string(),
    minutes: z.number().meta({ description: "How long it shall hold, from its approval" }),
    approvals: z.number().int().meta({ description: "How many must approve" }),
    atExpiry: z.enum(["end", "warn"]),
    createdAt: time,
    endsAt: time.meta({
      description: "While pending, when it is over unanswered; once approved, when it ends",
    }),
    reviews: z.array(
      z.object({
        reviewer: z.object({ id: z.string(), name: z.string() }),
        verdict: z.enum(["approve", "deny"]),
        comment: z.string(),
        reviewedAt: time,
      }),
    ),
    mayReview: z.boolean().meta({ description: "Whether you may decide about it now" }),
  })
  .meta({ id: "AccessRequest" });
export type AccessRequest = z.infer<typeof accessRequest>;

export const requestQuery = z.strictObject({
  ...pageQuery,
  state: z.enum(requestStates).optional(),
  mine: z.enum(["true", "false"]).optional().meta({ description: "Only what you asked for yourself" }),
  toReview: z.enum(["true", "false"]).optional().meta({ description: "Only what you may decide about now" }),
});
export type RequestQuery = z.input<typeof requestQuery>;

const minutes = z
  .int()
  .min(1)
  .max(30 * 24 * 60);
const reason = z.string().trim().min(1).max(1000);

export const requestCreate = z
  .discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("target"),
      targetId: id,
      logins: z.array(z.string().min(1).max(128)).min(1).max(20),
      reason,
      minutes,
    }),
    z.strictObject({ kind: z.literal("role"), role: roleName, reason, minutes }),
    z.strictObject({ kind: z.literal("playback"), sessionId: id, reason, minutes }),
  ])
  .meta({ id: "RequestCreate" });
export type RequestCreate = z.input<typeof requestCreate>;

export const requestReview = z
  .strictObject({ verdict: z.enum(["approve", "deny"]), comment: z.string().trim().max(1000).default("") })
  .meta({ id: "RequestReview" });
export type RequestReview = z.input<typeof requestReview>;

/** On which terms somebody may ask for a target, or for a recording. */
export const requestTerms = z
  .object({
    targetId: z.string(),
    targetName: z.string(),
    logins: z.array(z.string()).meta({ description: "Accounts that can be asked for; none for a recording" }),
    approvals: z.number().int().meta({ description: "How many must approve" }),
    minutesMax: z.number().int().meta({ description: "The longest time that can be asked for" }),
    atExpiry: z.enum(["end", "warn"]),
    reviewers,
  })
  .meta({ id: "RequestTerms" });
export type RequestTerms = z.infer<typeof requestTerms>;

/** `GET /requests/roles`: a role that you may ask for. */
export const askableRole = requestTerms
  .pick({ approvals: true, minutesMax: true, atExpiry: true, reviewers: true })
  .extend({ role: z.string() })
  .meta({ id: "AskableRole" });
export type AskableRole = z.infer<typeof askableRole>;

import { z } from "zod";
import { plainName } from "./plain-name.ts";
import { statementPolicy } from "./statements.ts";

/** The roles of the specification, 9.3.3 and 9.4.4. Operators add roles of their own beside them. */
export const builtInRoles = ["platform-admin", "security-analyst", "auditor", "team-lead", "user"] as const;

export const roleName = plainName.meta({ description: "A built-in role or one of the operator's own" });

const labelName = z.string().min(1).max(64);
const labelValue = z.string().max(256);

/**
 * Targets by their labels: every label named must be there with one of its values. `*` as a value is any value; the single
 * entry `"*": ["*"]` is every target.
 */
export const labelSelector = z
  .record(labelName, z.array(labelValue).min(1).max(64))
  .refine((labels) => Object.keys(labels).length > 0, 'name a label, or "*": ["*"] for every target')
  .meta({ id: "LabelSelector" });
export type LabelSelector = z.infer<typeof labelSelector>;

/** One thing that a role allows: these actions, on these targets, as these logins. */
export const statement = z
  .strictObject({
    actions: z.array(z.string().min(1).max(64)).min(1).max(64),
    targets: labelSelector.optional().meta({
      description:
        "Needed for actions on sessions and recordings; for others it limits them to these targets",
    }),
    logins: z
      .array(z.string().min(1).max(128))
      .min(1)
      .max(100)
      .optional()
      .meta({ description: "For `session.open`: accounts on the target; `*` is each of the target's own" }),
  })
  .meta({ id: "Statement" });
export type Statement = z.infer<typeof statement>;

const names = z.array(z.string().min(1).max(128)).max(100);

/** Some people: by role or by name. */
const people = z.strictObject({ roles: names.default([]), users: names.default([]) });

export const reviewers = z
  .strictObject({
    roles: names.default([]),
    users: names.default([]),
    teamLeads: z
      .boolean()
      .default(false)
      .meta({ description: "Whoever leads a team that the person who asks is in" }),
  })
  .meta({ id: "Reviewers" });
export type Reviewers = z.output<typeof reviewers>;

const approvals = z.int().min(1).max(10).default(1).meta({ description: "How many must approve" });

/** Whether access can be asked for, by whom, who decides, and for how long at most. */
export const requestPolicy = z
  .strictObject({
    askers: people.prefault({ roles: ["user"] }).meta({ description: "Who may ask" }),
    reviewers: reviewers.prefault({ roles: ["platform-admin"] }),
    approvals,
    minutesMax: z
      .int()
      .min(1)
      .max(30 * 24 * 60)
      .default(8 * 60)
      .meta({ description: "The longest time that can be asked for" }),
    atExpiry: z
      .enum(["end", "warn"])
      .default("end")
      .meta({ description: "What becomes of sessions that are live when the access expires" }),
  })
  .meta({ id: "RequestPolicy" });
export type RequestPolicy = z.output<typeof requestPolicy>;
export type RequestPolicyWrite = z.input<typeof requestPolicy>;

/** A second person's approval before a recording is opened. */
export const playbackPolicy = z
  .strictObject({
    reviewers: reviewers.prefault({ roles: ["platform-admin", "security-analyst", "auditor"] }),
    approvals,
    minutesMax: z
      .int()
      .min(1)
      .max(7 * 24 * 60)
      .default(60),
  })
  .meta({ id: "PlaybackPolicy" });
export type PlaybackPolicy = z.output<typeof playbackPolicy>;

const days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Day = (typeof days)[number];
const clockTime = (pattern: RegExp) => z.string().regex(pattern, "a time like 08:30");

const hours = z.strictObject({
  zone: z
    .string()
    .max(64)
    .refine(isZone, "a time zone such as Europe/Berlin or UTC")
    .meta({ description: "Time zone of the windows" }),
  windows: z
    .array(
      z.strictObject({
        days: z.array(z.enum(days)).min(1).max(7),
        from: clockTime(/^([01]\d|2[0-3]):[0-5]\d$/),
        to: clockTime(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/),
      }),
    )
    .min(1)
    .max(50)
    .meta({ description: "A window that ends before it begins ends on the next day" }),
});
export type AllowedHours = z.infer<typeof hours>;

/** What stands between somebody who may use a target and a session on it. What is absent does not limit. */
export const accessPolicy = z
  .strictObject({
    hours: hours.optional(),
    networks: z
      .array(z.union([z.cidrv4(), z.cidrv6()], "a network such as 10.0.0.0/8"))
      .min(1)
      .max(100)
      .optional()
      .meta({ description: "Where people must come from" }),
    mfaWithinMinutes: z
      .int()
      .min(1)
      .max(7 * 24 * 60)
      .optional()
      .meta({ description: "How long ago a second factor may have been given, at most" }),
    requests: requestPolicy.optional(),
    playback: playbackPolicy.optional(),
    watermark: z.boolean().optional().meta({
      description: "Whoever looks at a session or its recording sees their own name over it",
    }),
    statements: statementPolicy.optional().meta({ description: "Of a database" }),
  })
  .meta({ id: "AccessPolicy" });
export type AccessPolicy = z.output<typeof accessPolicy>;

function isZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

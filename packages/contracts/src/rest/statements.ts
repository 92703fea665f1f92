import { z } from "zod";
import { plainName } from "./plain-name.ts";

/**
 * What a statement does. `function`: it calls one by name; `call`: CALL, DO, EXECUTE; `role`: people and roles of the
 * database; `maintenance`: VACUUM, LOCK, KILL and the like; `unclassified`: the gate could not read it for certain.
 */
export const statementKinds = [
  "select",
  "insert",
  "update",
  "delete",
  "merge",
  "truncate",
  "copy",
  "create",
  "alter",
  "drop",
  "grant",
  "role",
  "function",
  "call",
  "set",
  "transaction",
  "maintenance",
  "other",
  "unclassified",
] as const;
export type StatementKind = (typeof statementKinds)[number];

const statementRule = z.strictObject({
  name: plainName.meta({ description: "Stands in the answer, the recording and the audit log" }),
  action: z.enum(["allow", "deny", "approve"]).meta({
    description: "`approve`: it waits until somebody else has approved that it is run",
  }),
  kinds: z.array(z.enum(statementKinds)).min(1).max(32).optional(),
  objects: z
    .array(
      z
        .string()
        .min(1)
        .max(256)
        .regex(/^[^.\s]+(?:\.[^.\s]+)?$/, "a name such as payments, payroll.salaries or payroll.*"),
    )
    .min(1)
    .max(200)
    .optional()
    .meta({ description: "Tables, views and functions; `*` stands for any part of a name" }),
  withoutWhere: z.literal(true).optional().meta({
    description: "Only an UPDATE or DELETE whose WHERE is missing or looks at no column",
  }),
  logins: z.array(z.string().min(1).max(128)).min(1).max(100).optional(),
});
export type StatementRule = z.output<typeof statementRule>;

/** Which statements pass to a database. */
export const statementPolicy = z
  .strictObject({
    rules: z
      .array(statementRule)
      .max(200)
      .default([])
      .meta({ description: "The first that fits decides; what none fits passes" }),
    keepRows: z.int().min(0).max(100_000).default(0).meta({
      description: "Rows of each result that recordings keep, from the first one on",
    }),
    keepCopyBytes: z
      .int()
      .min(0)
      .max(64 * 1024 * 1024)
      .default(0)
      .meta({ description: "Bytes of each copy in or out that recordings of PostgreSQL keep" }),
    approvalWaitSeconds: z
      .int()
      .min(1)
      .max(86_400)
      .default(600)
      .meta({ description: "A statement that waits longer for its approval is refused" }),
  })
  .meta({ id: "StatementPolicy" });
export type StatementPolicy = z.output<typeof statementPolicy>;

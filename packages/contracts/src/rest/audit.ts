import { z } from "zod";
import { pageQuery, time } from "./shapes.ts";

/** One event of the log, in its own schema, with its place in the chain. */
export const auditEvent = z
  .object({
    index: z.number().int(),
    uid: z.string(),
    time,
    event: z.string(),
    code: z.string(),
    user: z.string(),
    success: z.boolean(),
    remoteAddress: z.string().nullable(),
    target: z.string().nullable(),
    sessionId: z.string().nullable(),
    /** The event's own fields, snake_case. */
    fields: z.record(z.string(), z.unknown()),
    hash: z.string().meta({ description: "Hex SHA-256 over this event and the hash before it" }),
  })
  .meta({ id: "AuditEvent" });
export type AuditEvent = z.infer<typeof auditEvent>;

const auditFilters = {
  event: z
    .string()
    .max(128)
    .optional()
    .meta({ description: "Exact, or a prefix that ends in a dot: `session.`" }),
  user: z.string().max(256).optional(),
  target: z.string().max(256).optional(),
  session: z.string().max(64).optional(),
  success: z.enum(["true", "false"]).optional(),
  from: time.optional(),
  to: time.optional(),
};

/** `GET /audit`: newest first. */
export const auditQuery = z.strictObject({ ...pageQuery, ...auditFilters });
export type AuditQuery = z.input<typeof auditQuery>;

/** An event of a session, with its moment in the session's recording. */
export const sessionEvent = auditEvent
  .extend({
    atUs: z.number().int().nullable().meta({
      description: "Microseconds since the recording began; null for what was before it, or after its end",
    }),
  })
  .meta({ id: "SessionEvent" });
export type SessionEvent = z.infer<typeof sessionEvent>;

/** `GET /sessions/{id}/events`: newest first. */
export const sessionEventQuery = auditQuery.pick({ limit: true, cursor: true, event: true });
export type SessionEventQuery = z.input<typeof sessionEventQuery>;

/** `GET /audit/export`: the oldest first. */
export const auditExportQuery = z.strictObject(auditFilters);
export type AuditExportQuery = z.input<typeof auditExportQuery>;

/** A line of an export: an event as it was hashed, or at its end what the gateway signed. */
export const auditExportLine = z
  .union([
    z.looseObject({
      index: z.number().int(),
      event: z.string(),
      prev_hash: z.string(),
      hash: z.string().meta({
        description:
          "Hex SHA-256 over the bytes of `prev_hash` and the canonical JSON of the event without `hash`",
      }),
    }),
    z.object({
      audit_head: z.object({
        at: time,
        index: z.number().int(),
        hash: z.string(),
        signer: z.base64().meta({ description: "Ed25519 public key" }),
        signature: z.base64(),
      }),
    }),
  ])
  .meta({ id: "AuditExportLine" });

export const auditVerification = z
  .object({
    ok: z.boolean(),
    events: z.number().int(),
    headHash: z.string().nullable(),
    checkedAt: time,
    firstFault: z.string().nullable(),
  })
  .meta({ id: "AuditVerification" });
export type AuditVerification = z.infer<typeof auditVerification>;

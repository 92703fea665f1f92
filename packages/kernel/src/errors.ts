/**
 * The codes an error may carry. Each has one meaning for a caller, whatever room threw it:
 * the API maps them to HTTP statuses, the CLI to exit codes, a protocol to its own refusal.
 */
export const errorCodes = [
  "invalid", // what was given is malformed; the same call can never succeed
  "too_large", // a limit was checked before allocation and exceeded
  "unauthenticated", // nobody, or nobody known
  "denied", // known, but not allowed
  "not_found",
  "rate_limited", // too often; the same call may succeed after `details.retryAfterSeconds`
  "conflict", // the state of the thing does not permit it
  "unavailable", // a dependency is down; the same call may succeed later
  "recording_unavailable", // fail-closed: recording cannot be guaranteed, so nothing was opened
  "corrupt", // stored or received bytes do not verify
  "timeout",
  "cancelled",
  "protocol", // the peer broke its protocol
  "internal",
] as const;
export type ErrorCode = (typeof errorCodes)[number];

/** The one error of the house: what happened, in which operation, why, and what to do about it. */
export class GatehouseError extends Error {
  override readonly name = "GatehouseError";
  readonly code: ErrorCode;
  /** The operation that failed, `room.verb`: `journal.append`, `ssh.auth`. */
  readonly op: string;
  /** What the reader can do, a full sentence; absent where there is nothing to do. */
  readonly hint: string | undefined;
  /** Facts for machines and logs. Never a secret: they are printed. */
  readonly details: Readonly<Record<string, string | number | boolean>>;

  constructor(fields: {
    code: ErrorCode;
    op: string;
    message: string;
    hint?: string | undefined;
    cause?: unknown;
    details?: Record<string, string | number | boolean>;
  }) {
    super(fields.message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.code = fields.code;
    this.op = fields.op;
    this.hint = fields.hint;
    this.details = fields.details ?? {};
  }
}

export function isGatehouseError(error: unknown, code?: ErrorCode): error is GatehouseError {
  return error instanceof GatehouseError && (code === undefined || error.code === code);
}

/** The message of whatever was thrown, for a log line or a person. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Every field that a line of the operational log may have, each classified as fit to be read by whoever reads logs.
 * A field that is not here is a secret: it does not compile, and at run time only its name is written.
 * Never here: what people type, what targets print, passwords, tokens, keys.
 */
export const loggable = [
  "address",
  "attempts",
  "audit",
  "audit_event",
  "bytes",
  "cause",
  "code",
  "component",
  "connection",
  "count",
  "detail",
  "duration_ms",
  "error",
  "error_code",
  "file",
  "fingerprint",
  "frames",
  "gateway",
  "hint",
  "index",
  "kind",
  "level",
  "limit",
  "login",
  "method",
  "mode",
  "op",
  "path",
  "port",
  "protocol",
  "reason",
  "remote_address",
  "request",
  "route",
  "session",
  "stack",
  "state",
  "status",
  "store",
  "target",
  "url",
  "user",
  "version",
] as const;
type Loggable = (typeof loggable)[number];

/** `error` may be anything that was thrown; `audit_event` an event of the catalogue, whose fields are classified there. */
export type LogFields = {
  readonly [K in Exclude<Loggable, "error" | "audit_event">]?: string | number | boolean | null | undefined;
} & {
  readonly error?: unknown;
  readonly audit_event?: Readonly<Record<string, unknown>>;
};

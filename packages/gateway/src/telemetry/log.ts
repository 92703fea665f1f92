import { GatehouseError, messageOf } from "@gatehouse/kernel";
import { type DestinationStream, pino } from "pino";
import { type LogFields, loggable } from "./fields.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

/** The operational log: for whoever runs the gateway. It is not the audit log, and nothing depends on it. */
export type Log = {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The same log with fields that every line has. */
  with(fields: LogFields): Log;
};

const known: ReadonlySet<string> = new Set(loggable);
const textCharsMax = 4096;

/** `sink` gets whole lines, each ending in a newline. */
export function createLog({
  level,
  format,
  sink,
  nowMs,
}: {
  level: LogLevel;
  format: "json" | "text";
  sink: { write(line: string): void };
  nowMs: () => number;
}): Log {
  const destination: DestinationStream =
    format === "json" ? sink : { write: (line) => sink.write(readableLine(JSON.parse(line) as Line)) };
  const logger = pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date(nowMs()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: "message",
    },
    destination,
  );
  return logOver(logger, {});
}

function logOver(logger: pino.Logger, base: Record<string, unknown>): Log {
  const write = (level: LogLevel) => (message: string, fields?: LogFields) => {
    if (logger.isLevelEnabled(level)) logger[level]({ ...base, ...classified(fields) }, clipped(message));
  };
  return {
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    with: (fields) => logOver(logger, { ...base, ...classified(fields) }),
  };
}

/** Only what somebody classified, and only in the forms that cannot carry something else along. */
function classified(fields: LogFields = {}): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    if (name === "error") Object.assign(out, told(value));
    else if (!known.has(name)) out[name] = "[unclassified]";
    else if (name === "audit_event" || value === null) out[name] = value;
    else if (typeof value === "string") out[name] = clipped(value);
    else if (typeof value === "number" || typeof value === "boolean") out[name] = value;
    else out[name] = "[unclassified]";
  }
  return out;
}

/** An error in fields: its message and what it carries for logs, never the properties that somebody hung on it. */
function told(error: unknown): Record<string, unknown> {
  const out: Record<string, unknown> = { error: clipped(messageOf(error)) };
  if (error instanceof GatehouseError) {
    out["error_code"] = error.code;
    out["op"] = error.op;
    if (error.hint !== undefined) out["hint"] = error.hint;
    const causes: string[] = [];
    for (let cause = error.cause; cause instanceof Error && causes.length < 5; cause = cause.cause)
      causes.push(cause.message);
    if (causes.length > 0) out["cause"] = clipped(causes.join(" < "));
  }
  // What is a bug here needs the place; what the world did does not.
  if (error instanceof Error && (!(error instanceof GatehouseError) || error.code === "internal"))
    out["stack"] = clipped(error.stack ?? "");
  return out;
}

function clipped(text: string): string {
  return text.length > textCharsMax ? `${text.slice(0, textCharsMax)}...` : text;
}

type Line = { level: LogLevel; time: string; message: string } & Record<string, unknown>;

/** `14:30:00.123 warn  message  field=value`, for a person at a terminal. */
function readableLine({ level, time, message, stack, ...fields }: Line): string {
  const shown = Object.entries(fields).map(([name, value]) => `${name}=${readable(value)}`);
  const lines = [[time.slice(11, 23), level.padEnd(5), visible(message), ...shown].join(" ")];
  if (typeof stack === "string") lines.push(...stack.split("\n").slice(1).map(visible));
  return `${lines.join("\n")}\n`;
}

function readable(value: unknown): string {
  if (typeof value === "string" && /^[\w./:@+-]+$/.test(value)) return value;
  return visible(JSON.stringify(value));
}

// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const invisible = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** A name from outside must not move the cursor, clear the screen or fake a line. */
function visible(text: string): string {
  return text.replaceAll(invisible, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

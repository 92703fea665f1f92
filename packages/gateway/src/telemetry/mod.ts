/**
 * telemetry: what the gateway tells whoever runs it.
 *
 * Owns: the operational log, its fields and their classification.
 * Never: writes a field that nobody classified, holds what passed in a session, or stands in for the audit log.
 */
export type { LogFields } from "./fields.ts";
export { type Log, type LogLevel, createLog } from "./log.ts";

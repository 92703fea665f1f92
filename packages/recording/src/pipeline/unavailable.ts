import { GatehouseError } from "@gatehouse/kernel";

/** Fail-closed: why recording cannot be guaranteed. The message may be shown to the person whose session is refused. */
export function unavailable(op: string, message: string, hint?: string, cause?: unknown): GatehouseError {
  return new GatehouseError({ code: "recording_unavailable", op, message, hint, cause });
}

/** Stored bytes that are not what was written. */
export function corrupted(op: string, message: string): GatehouseError {
  return new GatehouseError({ code: "corrupt", op, message });
}

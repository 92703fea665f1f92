import { isGatehouseError } from "@gatehouse/kernel";
import type { ServerError } from "../wire/messages.ts";

/** What went wrong before a session, as the protocol's own error: MySQL "Server Error Message Reference". */
export function refusalOf(error: unknown): ServerError {
  if (!isGatehouseError(error)) return { code: 1105, sqlState: "HY000", message: "the gate failed" };
  const message = error.hint === undefined ? error.message : `${error.message}. ${error.hint}`;
  const as = (code: number, sqlState: string) => ({ code, sqlState, message });
  switch (error.code) {
    case "unauthenticated":
    case "invalid":
    case "not_found":
      return as(1045, "28000");
    case "denied":
      return as(1227, "42000");
    case "unavailable":
    case "timeout":
      return as(1429, "HY000");
    case "recording_unavailable":
      return as(3032, "HY000");
    case "too_large":
      return as(1153, "08S01");
    case "protocol":
      return as(1043, "08S01");
    default:
      return as(1105, "HY000");
  }
}

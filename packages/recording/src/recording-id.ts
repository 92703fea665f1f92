import { fromHex, GatehouseError, toHex } from "@gatehouse/kernel";
import { recordingIdPattern } from "./session-facts.ts";

/** A recording's id is its session's: a UUID, of which binary headers hold the 16 bytes. */
export function recordingIdBytes(id: string): Uint8Array {
  if (!recordingIdPattern.test(id))
    throw new GatehouseError({ code: "invalid", op: "recording.id", message: "not a UUID in lower case" });
  return fromHex(id.replaceAll("-", ""));
}

export function recordingIdOf(bytes: Uint8Array): string {
  const hex = toHex(bytes);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

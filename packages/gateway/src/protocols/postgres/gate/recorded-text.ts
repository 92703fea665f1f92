import { createHash } from "node:crypto";
import { toHex } from "@gatehouse/kernel";
import { type Query, type QueryValue, queryLimits } from "@gatehouse/recording";
import { readValue, typeName } from "../wire/values.ts";

/** A statement's text as it is recorded: whole, or its beginning with the length and digest of all of it. */
export function recordedText(text: string): Pick<Query, "text" | "bytes" | "sha256"> {
  if (text.length <= queryLimits.textCharsMax) return { text };
  const bytes = Buffer.from(text);
  return { text: cut(text), ...digested(bytes) };
}

/** A parameter as it is recorded. `oid` 0 is a type that nobody has said. */
export function recordedValue(bytes: Uint8Array | undefined, format: number, oid: number): QueryValue {
  const type = oid === 0 ? {} : { type: typeName(oid) ?? String(oid) };
  if (bytes === undefined) return { null: true, ...type };
  const beyond = bytes.length > queryLimits.textCharsMax;
  const text = beyond && format !== 0 ? undefined : readValue(bytes, format, oid);
  if (text !== undefined)
    return text.length <= queryLimits.textCharsMax
      ? { text, ...type }
      : { text: cut(text), ...type, ...digested(bytes) };
  const shown = bytes.subarray(0, queryLimits.textCharsMax / 2);
  return { hex: toHex(shown), ...type, ...(shown.length < bytes.length && digested(bytes)) };
}

/** Not in the middle of a character. */
function cut(text: string): string {
  const end = queryLimits.textCharsMax;
  const last = text.charCodeAt(end - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? end - 1 : end);
}

function digested(bytes: Uint8Array): { bytes: number; sha256: string } {
  return { bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
}

import { toHex } from "@gatehouse/kernel";
import { type QueryValue, queryLimits } from "@gatehouse/recording";
import { cutText, digested } from "../../../passage/mod.ts";
import { readValue, typeName } from "../wire/values.ts";

/** A parameter as it is recorded. `oid` 0 is a type that nobody has said. */
export function recordedValue(bytes: Uint8Array | undefined, format: number, oid: number): QueryValue {
  const type = oid === 0 ? {} : { type: typeName(oid) ?? String(oid) };
  if (bytes === undefined) return { null: true, ...type };
  const beyond = bytes.length > queryLimits.textCharsMax;
  const text = beyond && format !== 0 ? undefined : readValue(bytes, format, oid);
  if (text !== undefined)
    return text.length <= queryLimits.textCharsMax
      ? { text, ...type }
      : { text: cutText(text), ...type, ...digested(bytes) };
  const shown = bytes.subarray(0, queryLimits.textCharsMax / 2);
  return { hex: toHex(shown), ...type, ...(shown.length < bytes.length && digested(bytes)) };
}

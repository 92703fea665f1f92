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

/** The values of a Bind, or of a function call. */
export function recordedValues(
  values: readonly (Uint8Array | undefined)[],
  formats: readonly number[],
  types: readonly number[] | undefined,
) {
  // §55.7, Bind: no format is text for all, one format is for all.
  const formatOf = (i: number) => (formats.length === 1 ? formats[0] : formats[i]) ?? 0;
  return values.map((value, i) => recordedValue(value, formatOf(i), types?.[i] ?? 0));
}

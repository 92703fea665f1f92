import { utf8 } from "@gatehouse/kernel";
import { frameLimits } from "../frame.ts";
import { canonicalBytes } from "../canonical-json.ts";
import { asJson, parseJson, type Shape } from "../shape.ts";

/** How one kind's JSON becomes bytes and back. Both directions check, so nothing is recorded that cannot be read. */
export type Payload<T> = {
  /** Canonical JSON in UTF-8. Throws `invalid`, naming the field, for a value outside the kind's limits. */
  encode(value: T): Uint8Array;
  /** Throws `invalid` naming the field. Fields that this version does not know are dropped. */
  decode(data: Uint8Array): T;
};

/** `hasTables`: it holds objects whose names are data, which come in any order. */
export function payloadOf<T>(
  kind: string,
  shape: Shape<T>,
  { hasTables = false }: { hasTables?: boolean } = {},
): Payload<T> {
  const op = `recording.payload.${kind}`;
  return {
    encode: hasTables
      ? (value) => canonicalBytes(asJson(shape(value, "")))
      : // What a shape returns has its fields in canonical order, so the platform's own writer gives canonical bytes.
        (value) => utf8(JSON.stringify(shape(value, ""))),
    decode: (data) => shape(parseJson(op, data, frameLimits.dataBytesMax), ""),
  };
}

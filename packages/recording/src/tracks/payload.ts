import { frameLimits } from "../frame.ts";
import { asJson, parseJson, type Shape } from "../shape.ts";
import { canonicalBytes } from "../canonical-json.ts";

/** How one kind's JSON becomes bytes and back. Both directions check, so nothing is recorded that cannot be read. */
export type Payload<T> = {
  /** Canonical JSON in UTF-8. Throws `invalid`, naming the field, for a value outside the kind's limits. */
  encode(value: T): Uint8Array;
  /** Throws `invalid` naming the field. Fields that this version does not know are dropped. */
  decode(data: Uint8Array): T;
};

export function payloadOf<T>(kind: string, shape: Shape<T>): Payload<T> {
  const op = `recording.payload.${kind}`;
  return {
    encode: (value) => canonicalBytes(asJson(shape(value, ""))),
    decode: (data) => shape(parseJson(op, data, frameLimits.dataBytesMax), ""),
  };
}

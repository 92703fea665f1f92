import { canonicalBytes } from "./canonical-json.ts";
import { formatLimits } from "./format-limits.ts";
import type { SessionFacts } from "./frame.ts";
import { sessionFacts } from "./session-facts.ts";
import { asJson, object, parseJson, type Shape } from "./shape.ts";
import { type WrappedKeys, wrappedKeys } from "./wrapped-keys.ts";

/**
 * What segment 0 says in plain, so that a recording whose manifest was never written still says whose it is and who
 * can open it. The manifest repeats both.
 */
export type Opening = { facts: SessionFacts; keys: WrappedKeys };
const opening: Shape<Opening> = object({ facts: sessionFacts, keys: wrappedKeys }, {}, "refuse");

export const encodeOpening = (value: Opening): Uint8Array => canonicalBytes(asJson(opening(value, "")));
export const decodeOpening = (bytes: Uint8Array): Opening =>
  opening(parseJson("segment.opening", bytes, formatLimits.openingBytesMax), "");

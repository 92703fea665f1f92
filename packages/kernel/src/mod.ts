/**
 * kernel: what every other package stands on.
 *
 * Owns: the clock, randomness, bytes, limits, assertions, ids and the shape of every error.
 * Never: does I/O, reads configuration, depends on another package, or knows what a session is.
 * It runs unchanged in Node and in a browser.
 */
export { assert, unreachable } from "./assert.ts";
export {
  ByteReader,
  ByteWriter,
  concatBytes,
  equalBytes,
  fromBase64,
  fromHex,
  fromUtf8,
  putVarint,
  toBase64,
  toHex,
  utf8,
  utf8Chunks,
  varintBytes,
} from "./bytes.ts";
export { type Clock, type Timer, TestClock, systemClock } from "./clock.ts";
export { GatehouseError, type ErrorCode, errorCodes, isGatehouseError, messageOf } from "./errors.ts";
export { newId, isId } from "./ids.ts";
export { checkLimit } from "./limits.ts";
export { type Random, systemRandom, seededRandom } from "./random.ts";

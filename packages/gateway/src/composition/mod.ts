/**
 * composition: parts of the house that are put together as one, for `compose.ts`.
 *
 * Owns: what of identity, and of the custody of recordings, is made from which configuration, and in which order it closes.
 * Never: decides, or holds state of its own.
 */
export { composeCustody } from "./custody.ts";
export { composeIdentity } from "./identity.ts";

/**
 * source: what the person named, as something that can be played or checked.
 *
 * Owns: telling a session's id from a file, a directory, a bundle and an asciicast, and reading each of them.
 * Never: draws, or decides whether somebody may.
 */
export { type IdentityOptions, openersOf } from "./identity.ts";
export { liveSource } from "./live.ts";
export { noSuch, openPlayable, placeOf } from "./open-playable.ts";

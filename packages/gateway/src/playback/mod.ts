/**
 * playback: what was recorded, for who may see it.
 *
 * Owns: opening a stored recording, its frames in a window of time, the forms it can be taken away in, checking it,
 * and searching one or all of them; each decided and audited before the first byte leaves.
 * Never: speaks HTTP, writes to a store, holds more than one segment and a small part at a time, or says whether a recording exists to
 * somebody who may not see it.
 */
export { type AskedPart, type Part, createParts } from "./parts.ts";
export { createPlayback } from "./playback.ts";
export { createSearching } from "./searching.ts";
export type { Channel, Reader, Viewer } from "./viewing.ts";

/**
 * indexes: the index beside each recording.
 *
 * Owns: making one after a recording was stored, in a thread of its own, and with it the filter that narrows searches, under a key
 * of the gateway; making it anew, finding and opening it; and one of a live session's recording so far, in memory, when somebody asks.
 * Never: decides who may ask, holds up a session or its recording, makes one of a recording that this gateway cannot open, or
 * treats an index as more than what can be made again.
 */
export { type Indexes, createIndexes } from "./indexes.ts";
export { type SearchKeys, searchKeys, trigramMac } from "./search-keys.ts";

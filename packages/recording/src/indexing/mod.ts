/**
 * indexing: makes the index of a recording.
 *
 * Owns: playing a recording on a terminal that nobody sees, when its state is kept, what text stood on it and when, and what
 * happened beside it.
 * Never: reads a store, decides when an index is made, or lets what was typed and not shown into it. Reading an index is
 * `index/`, which loads no terminal.
 */
export { buildIndex } from "./build-index.ts";

import type { Lane, RecordingKeys, SessionFacts } from "@gatehouse/recording";

/** What the thread that makes an index is begun with. */
export type Beginning = {
  facts: SessionFacts;
  /** The input lane's is left out where this gateway does not have it. */
  keys: Partial<RecordingKeys>;
  headSha256: string;
  /** What the filters for searches are made with. */
  filterKeys: Record<Lane, Uint8Array>;
};

/** `input` is left out where nothing was typed, or its lane is not open here. */
export type IndexAndFilters = { index: Uint8Array; filters: { main: Uint8Array; input?: Uint8Array } };

/** One segment after the other, and then no more. Each is answered, and the next is not sent before. */
export type ToThread = { segment: Uint8Array; sha256: string } | { end: true };
export type FromThread = { taken: true } | IndexAndFilters | { fault: string };

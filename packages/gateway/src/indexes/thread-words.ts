import type { Lane, RecordingKeys, SessionFacts } from "@gatehouse/recording";

/** What the thread that makes an index is begun with. */
export type Beginning = {
  facts: SessionFacts;
  /** The input lane's is left out where this gateway does not have it. */
  keys: Partial<RecordingKeys>;
  headSha256: string;
  /** What the filters for searches are made with; without them none are made. */
  filterKeys: Record<Lane, Uint8Array> | undefined;
};

/** `input` is left out where nothing was typed, or its lane is not open here. */
export type Filters = { main: Uint8Array; input?: Uint8Array };
export type Made = { index: Uint8Array; filters?: Filters };

/** `sha256` is what the manifest says, where there is one. */
export type SegmentToTake = { n: number; bytes: Uint8Array; sha256?: string };
/** One segment after the other, and then no more. Each is answered, and the next is not sent before. */
export type ToThread = { segment: SegmentToTake } | { end: true };
export type FromThread = { taken: true } | Made | { fault: string };

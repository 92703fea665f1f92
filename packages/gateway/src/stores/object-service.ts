import type { StoreProbe } from "@gatehouse/recording/pipeline";

export type StoreFinding = StoreProbe["findings"][number];

/** One write under a key. A service without versions has one per key, whose id is undefined. */
export type ObjectVersion = {
  id: string | undefined;
  bytes: number;
  /** The same for the same bytes (ETag, MD5, CRC32C): tells a repeated write from a stranger's. Absent where unknown. */
  tag?: string | undefined;
};

/** What went wrong at the service, in the codes of the door. Nothing of it may be secret: it is printed. */
export type ServiceFault = {
  code: "not_found" | "conflict" | "denied" | "unavailable";
  /** The vendor's own name of it, such as `SlowDown`. */
  name: string;
  status?: number | undefined;
  message: string;
  hint?: string | undefined;
};

/**
 * The little that is asked of a vendor's object service; `createServiceStore` makes an `ObjectStore` of it. Calls reject
 * with the vendor's own errors, which `fault` reads.
 */
export type ObjectService = {
  /** For people: `s3://bucket/prefix`. */
  readonly location: string;
  /** Whether `put` asks the service to keep each object until its retention ends. */
  readonly asksRetention: boolean;
  /** False where `facts` never has a SHA-256, so that nobody asks in vain. */
  readonly givesSha256?: boolean;
  /** Writes one whole object. With `onlyNew` the service is asked to refuse an existing key; some do not listen. */
  put(
    key: string,
    bytes: Uint8Array,
    options: { retainUntilMs: number; onlyNew: boolean },
  ): Promise<{ id: string | undefined }>;
  /** Every version of a key, the first written first; `markers` are those that only say that it was removed. */
  versions(key: string): Promise<{ versions: ObjectVersion[]; markers: string[] }>;
  get(key: string, version: ObjectVersion, range?: { start: number; end: number }): Promise<Uint8Array>;
  facts(key: string, version: ObjectVersion): Promise<ObjectFacts>;
  /** Keys that begin with `prefix`, in the order of their bytes, after `after`; also those hidden by a marker. */
  keys(prefix: string, after: string | undefined): AsyncIterable<string>;
  remove(key: string, id: string | undefined): Promise<void>;
  /** Asks the service to hold a version whatever its retention, or to let go. False where it is not to be asked. */
  hold(key: string, version: ObjectVersion, held: boolean): Promise<boolean>;
  /** What the service's own settings say. May write objects whose keys begin with `scratch`. */
  inspect(scratch: string): Promise<StoreFinding[]>;
  /** By how much the service's clock is ahead of this machine's, from its answers; undefined where that is not known now. */
  clockAheadMs(): number | undefined;
  fault(error: unknown): ServiceFault;
};

export type ObjectFacts = {
  /** What was asked for when it was written, as Gatehouse noted it. 0: nothing. */
  retainUntilMs: number;
  /** Until when the service itself says that nobody can remove it. 0: it says nothing. */
  lockedUntilMs: number;
  /** A hold of the service's own stands on it. */
  held: boolean;
  /** Hex, only where the service computed it from the bytes that it keeps. */
  sha256?: string | undefined;
};

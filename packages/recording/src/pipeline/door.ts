import type { Frame, FrameKind, SessionFacts } from "../frame.ts";

/**
 * What a store must do. The interface lives here, with its consumer; implementations are in the gateway's `stores/`
 * and run one conformance suite. Keys are `a/b/c` of `[A-Za-z0-9._-]` parts. All errors are GatehouseErrors:
 * `conflict` for a key that exists, `not_found`, `unavailable` for what may pass, `denied`.
 */
export type ObjectStore = {
  /** Writes one whole object durably, never over an existing one. Resolves when it would survive a power cut. */
  create(key: string, bytes: Uint8Array, options: { retainUntilMs: number }): Promise<void>;
  /** The object, or the range `[start, end)` of it. */
  read(key: string, range?: { start: number; end: number }): Promise<Uint8Array>;
  /** Size in bytes and the SHA-256 (hex) of what is stored: from the backend where it is strong enough, else by reading. */
  stat(key: string): Promise<{ bytes: number; sha256: string }>;
  /** Keys under a prefix, in order, `limit` at most, after `after`. */
  list(prefix: string, options?: { after?: string; limit?: number }): Promise<string[]>;
  /** Refused with `denied` before the object's retention ended, and while it is held. */
  remove(key: string): Promise<void>;
  /** Until when `remove` is refused, by the store's own word where it has one, and whether the object is held there. */
  retention(key: string): Promise<{ untilMs: number; held: boolean }>;
  /**
   * Holds an object whatever its retention, or lets go of it. `gatehouse`: this store keeps no holds, and whoever asked must
   * see to it alone that the object is not removed.
   */
  hold(key: string, held: boolean): Promise<"backend" | "gatehouse">;
  /** By how much the clock that ends its retentions is ahead of this machine's; undefined where it is that, or not known now. */
  clockAheadMs(): number | undefined;
  /** Writes, reads back, tries to overwrite and to delete a probe object; throws `unavailable` if the store is not usable now. */
  probe(): Promise<StoreProbe>;
};
export type StoreProbe = {
  /** What the backend refuses by itself, and what only Gatehouse refuses. */
  overwrite: "backend" | "gatehouse" | "none";
  deletion: "backend" | "gatehouse" | "none";
  /** By how much the backend's clock is ahead of this machine's; absent where it has none of its own. */
  clockAheadMs?: number;
  findings: readonly { level: "ok" | "warning" | "problem"; message: string; hint?: string }[];
};

/**
 * The states that a recording is honestly in.
 *
 *   recording -> shipping ----> stored -> expired      once its retention is over
 *            \-> interrupted --/   |  \-> held ------> expired, once the hold is lifted
 *             any of them -------> corrupt
 *
 * `interrupted` is cut off and not yet in the store. `held` is stored, and kept beyond its retention. `expired` is gone from
 * the store. `corrupt` is of any age: what was written cannot all be vouched for.
 */
export type RecordingState =
  | "recording"
  | "shipping"
  | "stored"
  | "interrupted"
  | "corrupt"
  | "expired"
  | "held";

/** What a session writes to. One per session; its calls may overlap, their order is the recording's order. */
export type RecordingWriter = {
  readonly sessionId: string;
  /**
   * Adds a frame and resolves once it is on disk (P1): only then may the bytes go on. `data` is copied or written
   * before the promise settles; the caller must not change it until then. Rejects with `recording_unavailable` when the
   * frame cannot be kept; the writer is then dead, and every later call rejects in the same way.
   */
  append(kind: FrameKind, stream: number, data: Uint8Array): Promise<void>;
  /**
   * Bytes accepted but not yet durable; while the journal is short of room, also those that are durable and not yet in
   * a segment. Protocols stop reading their sockets above a mark: whoever does is never refused for want of room.
   */
  readonly pendingBytes: number;
  /** Resolves when `pendingBytes` has fallen below the low mark (at once when it is), or the writer has died. */
  ready(): Promise<void>;
  /**
   * Seals and signs. Appends `session.end` with this reason where the session has not done so itself, since a complete
   * recording ends with one. Resolves when the manifest is durable on this machine; shipping goes on by itself. Rejects with
   * `recording_unavailable` when the spool fails; sealing is then tried again in the background, and by the next start.
   * A dead writer closes itself, as `interrupted`.
   */
  close(end: {
    reason: string;
    detail?: string;
  }): Promise<{ headSha256: string; frames: number; bytes: number }>;
  /** Microseconds since the recording began. */
  elapsedUs(): number;
};

/** A recording that is being written, for whoever looks on. It stays readable to its end for who holds it when it is closed. */
export type GrowingRecording = {
  /** How many frames are durable: the sequence of the next. */
  readonly frames: number;
  /** No frame will follow. */
  readonly closed: boolean;
  /** Microseconds since it began. */
  elapsedUs(): number;
  /**
   * The frames from this sequence on, as far as they are durable at the first step: out of memory, the spool or the store. The
   * frames are the reader's own. Rejects with `recording_unavailable` where the store is needed and does not answer.
   */
  read(fromSeq: number): AsyncGenerator<Frame>;
  /** From now on tells of frames as they become durable. Returns the end of it. */
  follow(follower: Follower): () => void;
};
export type Follower = {
  /** In order, without a gap. Their data is only good during the call. */
  frames(frames: readonly Frame[]): void;
  closed(): void;
};

export type RecordingPipeline = {
  /**
   * Reserves journal space, makes the keys and commits the first frame (`session.start`). Rejects with
   * `recording_unavailable` (message fit for the person) when recording cannot be guaranteed: nothing may be opened then.
   */
  open(facts: SessionFacts): Promise<RecordingWriter>;
  /** Fail-closed check without opening: throws `recording_unavailable` with the reason. */
  admissible(): Promise<void>;
  /**
   * Called at start, before any `open`: takes the directory (`conflict` when another gateway has it), replays what a
   * crash left, and begins to ship. Reports each interrupted recording, again at every start until `confirmRecovered`.
   * Until it has resolved, `open` and `admissible` reject. It may be called again after it rejected.
   */
  recover(): Promise<readonly RecoveredRecording[]>;
  /** The recovered recording was noted durably (`session.end` in the audit log); it is not reported again. */
  confirmRecovered(sessionId: string): Promise<void>;
  /** Waits for shipping to finish or for the deadline; unsent segments stay for the next start. */
  stop(options: { deadlineMs: number }): Promise<void>;
  /** The recording of a live session; undefined when it is closed, or was never here. */
  growing(sessionId: string): GrowingRecording | undefined;
  /** State changes of recordings, for the sessions table and the audit log. Returns the unsubscribe. */
  onState(listener: (change: RecordingChange) => void): () => void;
  status(): PipelineStatus;
};
export type RecoveredRecording = {
  facts: SessionFacts;
  frames: number;
  bytes: number;
  headSha256: string;
  /** Microseconds from the start to the last recovered frame. */
  lastTimeUs: number;
  /** What the journal had lost of it, where it was damaged; also in the manifest. */
  damage?: string;
};
export type RecordingChange = {
  sessionId: string;
  state: RecordingState;
  /** Set when `stored`. */
  headSha256?: string;
  frames?: number;
  /** Bytes in the store: segments and manifest. */
  bytes?: number;
  /** Why, when `corrupt`. */
  detail?: string;
};
export type PipelineStatus = {
  journal: { capacityBytes: number; usedBytes: number; reservedBytes: number; failure?: string };
  shipping: { waitingSegments: number; waitingBytes: number; lastError?: string };
  /** `probe` is what the last probe that succeeded said. */
  store: { reachable: boolean; lastError?: string; failedForMs?: number; probe?: StoreProbe };
};

/** One thing that happened, as every source gives it: a frame without the promises of the format. */
export type PlayFrame = {
  readonly seq: number;
  /** Microseconds since the recording began. */
  readonly timeUs: number;
  /** The format's own word; one that nobody knows is passed over. */
  readonly kind: string;
  readonly stream: number;
  readonly data: Uint8Array;
};

/** The screen at a moment. */
export type PlayKeyframe = {
  readonly timeUs: number;
  /** The first frame that the state does not hold. */
  readonly seq: number;
  readonly cols: number;
  readonly rows: number;
  readonly state: string;
};

/** Something that can be played, from a file, a directory or a gateway. */
export type PlaySource = {
  /** One line for the status: who, where. */
  readonly title: string;
  /** What the recording is of: `terminal`, `exec`, `query`, ...; `terminal` for a stream that does not say. */
  readonly track: string;
  /** The terminal's size at the start. */
  readonly size: { readonly cols: number; readonly rows: number };
  /** What the viewer must know of what is left out. */
  readonly note?: string;
  /** What has to stand over all that is shown. */
  readonly watermark?: string;
  /** Unknown while a session still runs, and for a stream that was not read to its end. */
  readonly durationUs: number | undefined;
  /** From a moment on, or the first frame, in order. May be called again and again: seeking begins anew. */
  frames(fromUs?: number): AsyncIterable<PlayFrame>;
  /** Where to begin in order to show a moment; undefined for the start. Absent where there is no index to ask. */
  keyframeAt?(timeUs: number): Promise<PlayKeyframe | undefined>;
};

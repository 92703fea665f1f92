/** What shows a terminal. Writing is asynchronous; the rest acts on what was written. */
export type Screen = {
  /** Empty, with this size. */
  reset(size: { cols: number; rows: number }): void;
  resize(size: { cols: number; rows: number }): void;
  /** Resolves when it is on the screen. */
  write(data: Uint8Array | string): Promise<void>;
  /** What would bring an empty screen of the same size to this state. */
  serialize(): string;
};

/** A recording on a screen, at a moment that is set from outside, again and again. */
export type Showing = {
  /** Resolves when the screen stands at this moment, or at a later wish. Rejects where it cannot be read. */
  show(timeUs: number): Promise<void>;
  /** Up to which moment it can be shown without waiting, from this one on. */
  reachUs(timeUs: number): number;
  /** Reads on, while this moment is played. */
  ahead(timeUs: number): void;
};

/** Where a player has its recording from: all of it in the page, or windows of it as they are played. */
export type Tape = {
  showOn(screen: Screen): Showing;
};

/** One write: large enough to be fast, small enough that a newer wish is heard soon. */
export const writeBytesMax = 64 * 1024;

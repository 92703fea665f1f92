/** What the journal can tell of its space. */
export type JournalSpace = { readonly freeBytes: number; readonly capacityBytes: number };

/**
 * Who may take how much of the journal. Each session has a seat with a reserve that is its own from admission on; what it
 * needs beyond comes from what nobody has reserved. Frames count from `append` until their segment is in the spool.
 */
export class JournalRoom {
  readonly #space: JournalSpace;
  readonly #takenBytesMax: number;
  #held = 0;
  #taken = 0;

  /** `takenBytesMax` bounds the memory that frames on their way into a segment take. */
  constructor(space: JournalSpace, takenBytesMax: number) {
    this.#space = space;
    this.#takenBytesMax = takenBytesMax;
  }

  /** Reserved and not yet used. */
  get heldBytes(): number {
    return this.#held;
  }
  get takenBytes(): number {
    return this.#taken;
  }
  get commonBytes(): number {
    return this.#space.freeBytes - this.#held;
  }
  /** Time to push back: less than a quarter is left of what is common, or of the memory. */
  get pressed(): boolean {
    return this.commonBytes < this.#space.capacityBytes / 4 || this.#taken > (this.#takenBytesMax * 3) / 4;
  }

  /** A seat, or `undefined` when its reserve cannot be given. */
  sit(reserveBytes: number): JournalSeat | undefined {
    if (this.commonBytes < reserveBytes) return undefined;
    this.#held += reserveBytes;
    return new JournalSeat(reserveBytes, {
      mayTake: (fromCommon) =>
        this.commonBytes >= fromCommon && this.#taken + fromCommon <= this.#takenBytesMax,
      changed: (taken, held) => {
        this.#taken += taken;
        this.#held += held;
      },
    });
  }
}

type SeatRoom = { mayTake(fromCommon: number): boolean; changed(taken: number, held: number): void };

export class JournalSeat {
  readonly #room: SeatRoom;
  #reserve: number;
  #taken = 0;

  constructor(reserveBytes: number, room: SeatRoom) {
    this.#reserve = reserveBytes;
    this.#room = room;
  }
  get takenBytes(): number {
    return this.#taken;
  }
  /** False when neither the reserve nor the common space has so much. */
  take(bytes: number): boolean {
    const fromCommon = Math.min(bytes, this.#taken + bytes - this.#reserve);
    if (fromCommon > 0 && !this.#room.mayTake(fromCommon)) return false;
    this.#change(bytes);
    return true;
  }
  give(bytes: number): void {
    this.#change(-bytes);
  }
  /** Gives the reserve back; what is still taken stays taken until it is given. */
  leave(): void {
    const before = this.#held;
    this.#reserve = 0;
    this.#room.changed(0, this.#held - before);
  }
  get #held(): number {
    return Math.max(0, this.#reserve - this.#taken);
  }
  #change(bytes: number): void {
    const before = this.#held;
    this.#taken += bytes;
    this.#room.changed(bytes, this.#held - before);
  }
}

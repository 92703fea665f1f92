/** A connection whose person is not known yet. */
export type HalfOpenTicket = {
  /** The person is known, or the connection is gone. Idempotent. */
  release(): void;
};

/**
 * Counts the connections that nobody has authenticated on. Each costs memory and a key exchange, so there are only so many:
 * one address alone cannot take all places, and when all are taken the one that has waited longest makes room, because
 * whoever means to sign in has done so by then.
 */
export class HalfOpen {
  readonly #max: number;
  readonly #perAddressMax: number;
  /** In the order of their arrival. */
  readonly #waiting = new Set<{ address: string; drop: () => void }>();
  readonly #byAddress = new Map<string, number>();
  /** Refused or dropped since this was read last; for the operational log. */
  #turnedAway = 0;

  constructor(max: number, perAddressMax: number) {
    this.#max = max;
    this.#perAddressMax = perAddressMax;
  }
  get count(): number {
    return this.#waiting.size;
  }
  /** Undefined: this address has too many already. `drop` is called when this one must make room for another. */
  admit(address: string, drop: () => void): HalfOpenTicket | undefined {
    const ofAddress = this.#byAddress.get(address) ?? 0;
    if (ofAddress >= this.#perAddressMax) {
      this.#turnedAway++;
      return undefined;
    }
    const entry = { address, drop };
    this.#waiting.add(entry);
    this.#byAddress.set(address, ofAddress + 1);
    if (this.#waiting.size > this.#max) {
      const [oldest] = this.#waiting;
      if (oldest) {
        this.#turnedAway++;
        this.#release(oldest);
        oldest.drop();
      }
    }
    return { release: () => this.#release(entry) };
  }
  takeTurnedAway(): number {
    const count = this.#turnedAway;
    this.#turnedAway = 0;
    return count;
  }
  #release(entry: { address: string; drop: () => void }): void {
    if (!this.#waiting.delete(entry)) return;
    const left = (this.#byAddress.get(entry.address) ?? 1) - 1;
    if (left === 0) this.#byAddress.delete(entry.address);
    else this.#byAddress.set(entry.address, left);
  }
}

import type { Session } from "../../../sessions/session.ts";

type Held = { stream: number; bytes: Buffer; length: number } | "eof";

/** What is let go is given out in pieces of this size, as it would have come. */
const pieceBytes = 32 * 1024;

/**
 * What a program sends while input is paused: kept in order, and let go when input may pass again. The sender's window is not
 * opened meanwhile, so no more than a window is ever held.
 */
export class HeldInput {
  readonly #session: Pick<Session, "inputAllowed" | "whenInputAllowed">;
  readonly #data: (view: Uint8Array, stream: number) => void;
  readonly #eof: () => void;
  #held: Held[] = [];
  #waiting = false;

  constructor(options: {
    session: Pick<Session, "inputAllowed" | "whenInputAllowed">;
    /** Where it goes when it may pass. */
    data(view: Uint8Array, stream: number): void;
    eof(): void;
  }) {
    this.#session = options.session;
    this.#data = options.data;
    this.#eof = options.eof;
  }

  /** Whether what comes now must be held: also behind what is held still, for the order. */
  get holds(): boolean {
    return this.#held.length > 0 || !this.#session.inputAllowed();
  }
  hold(view: Uint8Array, stream: number): void {
    const last = this.#held.at(-1);
    // One after the other in one buffer: a client that sends byte by byte must not cost an object for each.
    if (last && last !== "eof" && last.stream === stream) append(last, view);
    else this.#keep({ stream, bytes: Buffer.from(view), length: view.length });
  }
  holdEof(): void {
    this.#keep("eof");
  }
  /** Nobody is there any more for whom it could pass. */
  drop(): void {
    this.#held = [];
  }

  #keep(held: Held): void {
    this.#held.push(held);
    if (!this.#waiting) void this.#release();
  }

  async #release(): Promise<void> {
    this.#waiting = true;
    // It may be paused anew before this hears that it was not.
    while ((await this.#session.whenInputAllowed(Infinity)) === "allowed")
      if (this.#session.inputAllowed()) {
        for (const held of this.#held.splice(0)) this.#pass(held);
        break;
      }
    this.#waiting = false;
    if (!this.#session.inputAllowed()) this.drop();
  }

  #pass(held: Held): void {
    if (held === "eof") return this.#eof();
    for (let at = 0; at < held.length; at += pieceBytes)
      this.#data(held.bytes.subarray(at, Math.min(at + pieceBytes, held.length)), held.stream);
  }
}

function append(held: Exclude<Held, "eof">, view: Uint8Array): void {
  const length = held.length + view.length;
  if (length > held.bytes.length) {
    const roomier = Buffer.allocUnsafe(Math.max(length, held.bytes.length * 2));
    held.bytes.copy(roomier, 0, 0, held.length);
    held.bytes = roomier;
  }
  held.bytes.set(view, held.length);
  held.length = length;
}

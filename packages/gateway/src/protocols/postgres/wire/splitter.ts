import { GatehouseError, checkLimit } from "@gatehouse/kernel";

/** One message, a piece of one, or a run of whole ones, in the order of the bytes. Views of what came in wherever that is possible. */
export type Piece = {
  /** The message's type byte. */
  readonly type: number;
  /** Length of the body as claimed, without type and length. */
  readonly bodyBytes: number;
  /** The bytes to forward: with the header where `first`. */
  readonly raw: Uint8Array;
  /** The body bytes among `raw`, where it is of one message. `eachBody` has those of a run. */
  readonly body: Uint8Array;
  /** How many messages begin in it: more than one only for types that come in runs. */
  readonly messages: number;
  readonly first: boolean;
  readonly last: boolean;
};

export function eachBody({ messages, raw, body }: Piece, take: (body: Uint8Array) => void): void {
  if (messages < 2) return take(body);
  for (let at = 0; at < raw.length;) {
    const end = at + 1 + readInt32(raw, at + 1);
    take(raw.subarray(at + headerBytes, end));
    at = end;
  }
}

const headerBytes = 5;
const nothing = new Uint8Array();

/**
 * Cuts a stream of typed messages (PostgreSQL §55.7: type byte, int32 length that counts itself, body) wherever the
 * chunks happen to be split. Messages of the types in `whole` are given in one piece, gathered when they were split;
 * all others pass in pieces, so that a row of a gigabyte needs no memory here. Those of the types in `runs` that follow each
 * other whole in one chunk are given together: of a copy there are hundreds in each, and nobody asks about one of them.
 */
export class MessageSplitter {
  readonly #op: string;
  readonly #isWhole: (type: number) => boolean;
  readonly #inRuns: (type: number) => boolean;
  readonly #wholeBytesMax: number;
  readonly #bodyBytesMax: number;
  readonly #known: (type: number) => boolean;
  /** What is kept of a header, or of a message that is to be whole, until the rest comes. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  /** Of the message that is passing in pieces. */
  #type = 0;
  #bodyBytes = 0;
  #bodyLeft = 0;

  constructor(options: {
    op: string;
    /** Other types end the connection. */
    known(type: number): boolean;
    whole(type: number): boolean;
    runs?(type: number): boolean;
    /** Largest body that is gathered. */
    wholeBytesMax: number;
    /** Largest body that is let pass in pieces. The protocol itself allows 1 GiB. */
    bodyBytesMax?: number;
  }) {
    this.#op = options.op;
    this.#known = options.known;
    this.#isWhole = options.whole;
    this.#inRuns = options.runs ?? (() => false);
    this.#wholeBytesMax = options.wholeBytesMax;
    this.#bodyBytesMax = options.bodyBytesMax ?? 0x7fff_ffff - 4;
  }

  /** No message is under way. */
  get atBoundary(): boolean {
    return this.#bodyLeft === 0 && this.#heldBytes === 0;
  }
  /** Nothing that was given out is unfinished; what is held back does not count. */
  get givenAtBoundary(): boolean {
    return this.#bodyLeft === 0;
  }
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Throws `protocol` for an unknown type or an impossible length, `too_large` beyond a limit, before keeping anything. */
  *feed(chunk: Uint8Array): Generator<Piece> {
    let bytes = chunk;
    if (this.#heldBytes > 0) {
      const joined = this.#join(chunk);
      if (!joined) return;
      bytes = joined;
    }
    let at = 0;
    while (at < bytes.length) {
      if (this.#bodyLeft > 0) {
        const raw = bytes.subarray(at, at + this.#bodyLeft);
        at += raw.length;
        this.#bodyLeft -= raw.length;
        yield {
          type: this.#type,
          bodyBytes: this.#bodyBytes,
          raw,
          body: raw,
          messages: 0,
          first: false,
          last: this.#bodyLeft === 0,
        };
        continue;
      }
      const left = bytes.length - at;
      if (left < headerBytes) {
        // An unknown type is refused by its first byte, however slowly the rest comes.
        this.#check(bytes[at] as number);
        this.#hold(bytes.subarray(at));
        return;
      }
      const { type, bodyBytes } = this.#header(bytes, at);
      const end = at + headerBytes + bodyBytes;
      if (end > bytes.length && this.#isWhole(type)) {
        this.#hold(bytes.subarray(at));
        return;
      }
      let messages = 1;
      let runEnd = end;
      if (this.#inRuns(type))
        for (;;) {
          const next = this.#endOfWhole(bytes, runEnd, type);
          if (next === undefined) break;
          runEnd = next;
          messages++;
        }
      const raw = bytes.subarray(at, runEnd);
      this.#type = type;
      this.#bodyBytes = bodyBytes;
      this.#bodyLeft = runEnd - at - raw.length;
      at += raw.length;
      yield {
        type,
        bodyBytes,
        raw,
        body: messages === 1 && raw.length > headerBytes ? raw.subarray(headerBytes) : nothing,
        messages,
        first: true,
        last: this.#bodyLeft === 0,
      };
    }
  }

  /** Where the message at `at` ends, if it is all there, of this type, and in order; what is not is looked at in its turn. */
  #endOfWhole(bytes: Uint8Array, at: number, type: number): number | undefined {
    if (bytes.length - at < headerBytes || bytes[at] !== type) return undefined;
    const length = readInt32(bytes, at + 1);
    const end = at + 1 + length;
    return length >= 4 && length - 4 <= this.#bodyBytesMax && end <= bytes.length ? end : undefined;
  }

  #check(type: number): void {
    if (!this.#known(type))
      throw new GatehouseError({
        code: "protocol",
        op: this.#op,
        message: `no message has the type 0x${type.toString(16).padStart(2, "0")} here`,
      });
  }

  #header(bytes: Uint8Array, at: number): { type: number; bodyBytes: number } {
    const type = bytes[at] as number;
    this.#check(type);
    const length = readInt32(bytes, at + 1);
    if (length < 4)
      throw new GatehouseError({
        code: "protocol",
        op: this.#op,
        message: `a message claims a length of ${length}`,
      });
    const bodyBytes = length - 4;
    checkLimit(
      this.#op,
      "a message's bytes",
      bodyBytes,
      this.#isWhole(type) ? this.#wholeBytesMax : this.#bodyBytesMax,
    );
    return { type, bodyBytes };
  }

  #hold(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
  }

  /** What is held and the chunk as one, once the message that is under way is complete; the chunk is kept otherwise. */
  #join(chunk: Uint8Array): Uint8Array | undefined {
    let wanted = headerBytes;
    const head = this.#heldBytes >= headerBytes ? this.#headBytes() : undefined;
    if (head) {
      const { type, bodyBytes } = this.#header(head, 0);
      if (this.#isWhole(type)) wanted += bodyBytes;
    }
    if (this.#heldBytes + chunk.length < wanted) {
      this.#hold(chunk);
      // The header may have become complete by these bytes: a lie in it is found now and not at the end.
      if (!head && this.#heldBytes >= headerBytes) this.#header(this.#headBytes(), 0);
      return undefined;
    }
    const joined = Buffer.concat([...this.#held, chunk], this.#heldBytes + chunk.length);
    this.#held = [];
    this.#heldBytes = 0;
    return joined;
  }

  #headBytes(): Uint8Array {
    const first = this.#held[0] as Uint8Array;
    if (first.length >= headerBytes) return first;
    // Headers that came byte by byte; the pieces are put together once.
    this.#held = [Buffer.concat(this.#held, this.#heldBytes)];
    return this.#held[0] as Uint8Array;
  }
}

export function readInt32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}

import { GatehouseError, checkLimit } from "@gatehouse/kernel";

/** MySQL "Protocol Basics / Packets": three bytes of length, one of sequence. A packet this long goes on in the next. */
export const packetBytesMax = 0xff_ffff;
const headerBytes = 4;

/** What becomes of a message: it is wanted in one piece, or passes as it comes, and then its bytes may be counted. */
export type Treatment = "whole" | "pass" | "count";

export type PacketSink = {
  /** A message begins: its first byte (-1 where it is empty), the bytes of its first packet and that packet's number. */
  begins(first: number, bytes: number, sequence: number): Treatment;
  /** A message that was wanted whole, without its headers. `raw` is what to forward; `sequence` of its last packet. */
  whole(payload: Uint8Array, raw: Uint8Array, sequence: number): void;
  /** A piece of the content of a message that passes. Left out where nobody looks. */
  content?(piece: Uint8Array): void;
  /**
   * Bytes to forward of messages that pass, all of them counted or none. `sequence` of the last packet among them; `inside`
   * a message that is not over.
   */
  pass(raw: Uint8Array, sequence: number, inside: boolean, counted: boolean): void;
};

/**
 * Cuts a stream of packets into messages wherever the chunks happen to be split. Messages that are wanted whole are gathered
 * up to a limit, which is checked by what the headers claim, before anything is kept; the others pass as they come, many
 * rows in one piece, so a row of a gigabyte needs no memory here.
 */
export class PacketSplitter {
  readonly #op: string;
  readonly #wholeBytesMax: number;
  readonly #sink: PacketSink;
  #sequence = 0;
  /** Of the packet that passes. */
  #passLeft = 0;
  /** The message goes on in another packet. */
  #continues = false;
  #gathering = false;
  /** What passes is to be counted. */
  #counted = false;
  /** What is kept of a header, or of a message that is to be whole, until the rest comes. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  /** Where the header of the packet that is being gathered stands among what is held. */
  #packetAt = 0;

  constructor(options: { op: string; wholeBytesMax: number; sink: PacketSink }) {
    this.#op = options.op;
    this.#wholeBytesMax = options.wholeBytesMax;
    this.#sink = options.sink;
  }
  get heldBytes(): number {
    return this.#heldBytes;
  }
  /** Nothing that was given out is unfinished; what is held back does not count. */
  get givenAtBoundary(): boolean {
    return this.#passLeft === 0 && (!this.#continues || this.#gathering);
  }

  /** Bytes until the packet that passes ends, or its header where it has not begun. */
  get packetLeft(): number {
    return this.#passLeft > 0 ? this.#passLeft : headerBytes;
  }

  /** Throws what the sink throws, and `too_large` for a message beyond the limit. */
  feed(chunk: Uint8Array): void {
    let bytes = chunk;
    if (this.#heldBytes > 0) {
      this.#held.push(chunk);
      this.#heldBytes += chunk.length;
      // Pieces are put together once, when it is clear that they are enough.
      if (this.#heldBytes < this.#wanted()) return;
      bytes = Buffer.concat(this.#held, this.#heldBytes);
      this.#held = [];
      this.#heldBytes = 0;
    }
    this.#cut(bytes);
  }

  /** How many bytes must be there before it is worth looking again. */
  #wanted(): number {
    const headerAt = this.#packetAt;
    const header = this.#heldAt(headerAt);
    if (!header) return headerAt + headerBytes + (this.#continues ? 0 : 1);
    const length = lengthOf(header, 0);
    if (!this.#gathering) return headerAt + headerBytes + Math.min(length, 1);
    checkLimit(this.#op, "a message's bytes", headerAt + length, this.#wholeBytesMax);
    return headerAt + headerBytes + length;
  }

  /** The four bytes of a header among what is held, or nothing while they are not all there. */
  #heldAt(at: number): Uint8Array | undefined {
    if (this.#heldBytes < at + headerBytes) return undefined;
    let start = 0;
    for (const piece of this.#held) {
      if (at >= start && at + headerBytes <= start + piece.length)
        return piece.subarray(at - start, at - start + headerBytes);
      start += piece.length;
    }
    this.#held = [Buffer.concat(this.#held, this.#heldBytes)];
    return this.#held[0]?.subarray(at, at + headerBytes);
  }

  #cut(bytes: Uint8Array): void {
    let at = 0;
    /** Where the bytes that pass begin. */
    let passAt = 0;
    const passed = (end: number, inside: boolean) => {
      if (end > passAt) this.#sink.pass(bytes.subarray(passAt, end), this.#sequence, inside, this.#counted);
      passAt = end;
    };
    while (at < bytes.length) {
      if (this.#passLeft > 0) {
        const end = Math.min(bytes.length, at + this.#passLeft);
        this.#sink.content?.(bytes.subarray(at, end));
        this.#passLeft -= end - at;
        at = end;
        continue;
      }
      if (this.#gathering) {
        // Only at the beginning of what was put together: the message that is held.
        at = this.#gather(bytes, at);
        if (at < 0) return;
        passAt = at;
        continue;
      }
      const left = bytes.length - at;
      const length = left >= headerBytes ? lengthOf(bytes, at) : 0;
      if (left < headerBytes || (!this.#continues && length > 0 && left === headerBytes)) {
        passed(at, this.#continues);
        this.#packetAt = 0;
        this.#hold(bytes.subarray(at));
        return;
      }
      const sequence = bytes[at + 3] as number;
      if (this.#continues) {
        this.#sequence = sequence;
        this.#passLeft = length;
        this.#continues = length === packetBytesMax;
        at += headerBytes;
        continue;
      }
      const first = length > 0 ? (bytes[at + headerBytes] as number) : -1;
      const treatment = this.#sink.begins(first, length, sequence);
      if (treatment === "whole") {
        passed(at, false);
        this.#gathering = true;
        this.#packetAt = 0;
        at = this.#gather(bytes, at);
        if (at < 0) return;
        passAt = at;
      } else {
        if (this.#counted !== (treatment === "count")) {
          passed(at, false);
          this.#counted = !this.#counted;
        }
        this.#sequence = sequence;
        this.#passLeft = length;
        this.#continues = length === packetBytesMax;
        at += headerBytes;
      }
    }
    passed(at, this.#passLeft > 0 || this.#continues);
  }

  /**
   * From `at` a message that is wanted whole: gives it out and returns where it ends, or keeps it and returns -1. Headers
   * before `#packetAt` were looked at already.
   */
  #gather(bytes: Uint8Array, at: number): number {
    let header = at + this.#packetAt;
    for (;;) {
      this.#packetAt = header - at;
      if (bytes.length < header + headerBytes) return this.#keep(bytes, at);
      const length = lengthOf(bytes, header);
      checkLimit(this.#op, "a message's bytes", this.#packetAt + length, this.#wholeBytesMax);
      const end = header + headerBytes + length;
      if (length === packetBytesMax) {
        header = end;
        if (bytes.length < end) return this.#keep(bytes, at);
        continue;
      }
      if (bytes.length < end) return this.#keep(bytes, at);
      this.#gathering = false;
      this.#packetAt = 0;
      this.#sequence = bytes[header + 3] as number;
      const raw = bytes.subarray(at, end);
      const payload = header === at ? raw.subarray(headerBytes) : joined(raw);
      this.#sink.whole(payload, raw, this.#sequence);
      return end;
    }
  }
  #keep(bytes: Uint8Array, at: number): -1 {
    this.#hold(bytes.subarray(at));
    return -1;
  }
  #hold(bytes: Uint8Array): void {
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
  }
}

/** A payload as packets, numbered from `sequence`. */
export function encodePacket(sequence: number, payload: Uint8Array): Uint8Array {
  const packets = Math.floor(payload.length / packetBytesMax) + 1;
  const out = Buffer.alloc(payload.length + packets * headerBytes);
  let at = 0;
  for (let i = 0; i < packets; i++) {
    const piece = payload.subarray(i * packetBytesMax, (i + 1) * packetBytesMax);
    out.writeUIntLE(piece.length, at, 3);
    out[at + 3] = (sequence + i) & 0xff;
    out.set(piece, at + headerBytes);
    at += headerBytes + piece.length;
  }
  return out;
}

function lengthOf(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16);
}

/** The payload of a message of several packets. */
function joined(raw: Uint8Array): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < raw.length;) {
    const end = at + headerBytes + lengthOf(raw, at);
    pieces.push(raw.subarray(at + headerBytes, end));
    at = end;
  }
  return Buffer.concat(pieces);
}

export function broken(op: string, message: string): GatehouseError {
  return new GatehouseError({ code: "protocol", op, message });
}

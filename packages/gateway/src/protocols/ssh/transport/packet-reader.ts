import { broken } from "./messages.ts";
import { type Opener, PlainOpener, packetLengthMax, unkeyedPacketLengthMax } from "./packet-cipher.ts";

/** A packet that has only begun to arrive gets this much memory at first, and more as its bytes come. */
const partialBytes = 64 * 1024;
const none = Buffer.alloc(0);
/**
 * Memory of begun packets, shared by all connections: in bulk every second packet straddles two chunks, and a new buffer
 * for each was most of what the garbage collector had to do. A packet that is only half here keeps its own until it is whole.
 */
const spares: Buffer[] = [];
const sparesMax = 16;
const spareFromBytes = 16 * 1024;

/**
 * Cuts what arrives into packets and opens them. A packet that lies in one chunk is opened where it lies; only one that
 * straddles chunks is put together first.
 */
export class PacketReader {
  /** The sequence number of the packet being delivered, or the next one between packets (RFC 4253 §6.4). */
  sequence = 0;
  /** While set, what arrives is kept. */
  stopped = false;
  readonly #deliver: (payload: Buffer) => void;
  #opener: Opener = new PlainOpener();
  #lengthMax = unkeyedPacketLengthMax;
  #resetSequence = false;
  /** Chunks, or the rest of one, that came while stopped. */
  #kept: Buffer = none;
  /** The packet that has begun to arrive: its first `#partialAt` bytes. */
  #partial: Buffer = none;
  #partialAt = 0;
  /** All bytes of that packet, once its length is known. */
  #total = 0;

  constructor(deliver: (payload: Buffer) => void) {
    this.#deliver = deliver;
  }

  /** From the next packet on; `resetSequence` is what strict key exchange asks for. */
  use(opener: Opener, resetSequence: boolean): void {
    this.#opener = opener;
    this.#lengthMax = packetLengthMax;
    this.#resetSequence = resetSequence;
  }

  /** Bytes of an unfinished packet, or packets not yet delivered, are here. */
  get unfinished(): boolean {
    return this.#partialAt > 0 || this.#kept.length > 0;
  }

  push(chunk: Buffer): void {
    if (this.stopped || this.#kept.length > 0) {
      this.#kept = this.#kept.length === 0 ? chunk : Buffer.concat([this.#kept, chunk]);
      return;
    }
    this.#consume(chunk);
  }

  /** After `stopped` was cleared: delivers what was kept. */
  proceed(): void {
    const kept = this.#kept;
    this.#kept = none;
    this.#consume(kept);
  }

  /** The connection is over: nothing more is delivered. */
  drop(): void {
    this.stopped = true;
    this.#kept = none;
    this.#partial = none;
    this.#partialAt = 0;
  }

  #consume(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.stopped) {
        this.#kept = chunk.subarray(at);
        return;
      }
      if (this.#partialAt > 0) {
        at = this.#fill(chunk, at);
        continue;
      }
      const opener = this.#opener;
      const left = chunk.length - at;
      if (left < opener.headBytes) {
        this.#begin(chunk, at, 0);
        return;
      }
      const total = this.#totalBytes(chunk, at);
      if (left < total) {
        this.#begin(chunk, at, total);
        return;
      }
      at += total;
      this.#open(chunk.subarray(at - total, at));
    }
  }

  /** Keeps the start of a packet; `total` is 0 while its length is not known. */
  #begin(chunk: Buffer, at: number, total: number): void {
    const left = chunk.length - at;
    const bytes = total === 0 ? this.#opener.headBytes : Math.min(total, Math.max(partialBytes, left));
    // Small ones get what they need: a thousand idle connections must not each hold a large one for half a keystroke.
    const spare = bytes > spareFromBytes && bytes <= partialBytes ? spares.pop() : undefined;
    this.#partial =
      spare ?? Buffer.allocUnsafeSlow(bytes > spareFromBytes ? Math.max(bytes, partialBytes) : bytes);
    chunk.copy(this.#partial, 0, at);
    this.#partialAt = left;
    this.#total = total;
  }

  /** Continues the begun packet with bytes from `at` on, and returns where it stopped taking. */
  #fill(chunk: Buffer, at: number): number {
    const wanted = this.#total === 0 ? this.#opener.headBytes : this.#total;
    const take = Math.min(wanted - this.#partialAt, chunk.length - at);
    this.#grow(this.#partialAt + take, wanted);
    chunk.copy(this.#partial, this.#partialAt, at, at + take);
    this.#partialAt += take;
    if (this.#partialAt < wanted) return at + take;
    if (this.#total === 0) {
      this.#total = this.#totalBytes(this.#partial, 0);
      // A packet may end with its head: in counter mode the head is a whole block.
      if (this.#total > this.#partialAt) return at + take;
    }
    const packet = this.#partial;
    const total = this.#total;
    this.#partial = none;
    this.#partialAt = 0;
    // What was delivered is a view that is good for the length of the call only, but what came before keys is kept for
    // the exchange hash.
    const keyed = this.#lengthMax === packetLengthMax;
    this.#open(packet.subarray(0, total));
    if (keyed && packet.length === partialBytes && spares.length < sparesMax) spares.push(packet);
    return at + take;
  }

  /** Doubles, so that memory follows what the peer really sent and not what it announced. */
  #grow(needed: number, wanted: number): void {
    if (needed <= this.#partial.length) return;
    const grown = Buffer.allocUnsafeSlow(
      Math.min(wanted, Math.max(needed, 2 * this.#partial.length, partialBytes)),
    );
    this.#partial.copy(grown, 0, 0, this.#partialAt);
    this.#partial = grown;
  }

  /** The length of the packet at `at` with its own field and its tag, checked (RFC 4253 §6.1). */
  #totalBytes(bytes: Buffer, at: number): number {
    const opener = this.#opener;
    const length = opener.packetLength(this.sequence, bytes, at);
    const counted = length + opener.lengthSkew;
    // §6: a packet is at least 16 bytes, or a block of the cipher; both hold when it is one block and 5 bytes.
    if (length < 5 || length > this.#lengthMax || counted % opener.blockBytes !== 0)
      throw broken(`a packet of bad length`);
    return 4 + length + opener.tagBytes;
  }

  #open(packet: Buffer): void {
    const plain = this.#opener.open(this.sequence, packet);
    const padding = plain[0] as number;
    const end = plain.length - padding;
    // §6: at least four bytes of padding, and a payload.
    if (padding < 4 || end < 2) throw broken("a packet of bad padding");
    this.#deliver(plain.subarray(1, end));
    if (this.#resetSequence) {
      this.#resetSequence = false;
      this.sequence = 0;
    } else this.sequence = (this.sequence + 1) >>> 0;
  }
}

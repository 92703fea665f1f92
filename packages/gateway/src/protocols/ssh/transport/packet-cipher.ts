import type { Random } from "@gatehouse/kernel";
import { broken, disconnectReason } from "./messages.ts";
import type { Outbox } from "./outbox.ts";

/** Turns payloads into packets (RFC 4253 §6), one direction under one set of keys. */
export type Sealer = {
  /** One packet whose payload is `head` then `body`, to the outbox. */
  seal(sequence: number, head: Uint8Array, body: Uint8Array, out: Outbox): void;
};

/** The reverse. `packetLength` is asked once for each packet, before `open`. */
export type Opener = {
  /** Bytes of a packet that must be there to know its length. */
  readonly headBytes: number;
  /** `packet_length` counts what follows its own field up to here. */
  readonly tagBytes: number;
  /** What `packet_length` must be a multiple of, after `lengthSkew` was added. */
  readonly blockBytes: number;
  readonly lengthSkew: 0 | 4;
  /** The `packet_length` at `at`: not authenticated, anything may be in it. */
  packetLength(sequence: number, bytes: Buffer, at: number): number;
  /** The padded plaintext, from the padding's length on. Throws when the packet was not made with our keys. */
  open(sequence: number, packet: Buffer): Buffer;
};

/** RFC 4253 §6.1 asks for 35,000 bytes; OpenSSH sends and takes up to 256 KiB. The rest is padding and framing. */
export const packetLengthMax = 256 * 1024 + 1024;
/** Until a key is agreed on nothing needs more than this, and an unknown peer gets no more of our memory. */
export const unkeyedPacketLengthMax = 35_000;

/** A packet failed its check. One error for whatever was wrong with it: the sender of a forgery learns nothing. */
export function forged(): Error {
  return broken("a packet failed authentication", disconnectReason.macError);
}

/** RFC 4253 §6: at least 4 bytes, up to a multiple of the block, where `counted` is what else counts for it. */
export function paddingLength(counted: number, blockBytes: number): number {
  const padding = blockBytes - (counted % blockBytes);
  return padding < 4 ? padding + blockBytes : padding;
}

/** RFC 4253 §6: padding SHOULD be random. Drawn in bulk, as few bytes as each packet needs. */
export class Padding {
  readonly #random: Random;
  #pool: Uint8Array = new Uint8Array(0);
  #at = 0;

  constructor(random: Random) {
    this.#random = random;
  }
  take(length: number): Uint8Array {
    if (this.#at + length > this.#pool.length) {
      this.#pool = this.#random.bytes(1024);
      this.#at = 0;
    }
    this.#at += length;
    return this.#pool.subarray(this.#at - length, this.#at);
  }
}

/** Holds the packet that is being sealed, of whatever connection. */
const scratch = Buffer.allocUnsafeSlow(64 * 1024);

/**
 * `packet_length`, padding length, payload and padding as one view, overwritten by the next call. The copy costs less
 * than encrypting the parts one by one: each call of a cipher allocates, and copies once more by itself.
 */
export function assembled(head: Uint8Array, body: Uint8Array, padding: Uint8Array): Buffer {
  const length = 1 + head.length + body.length + padding.length;
  const packet = 4 + length <= scratch.length ? scratch : Buffer.allocUnsafeSlow(4 + length);
  packet.writeUInt32BE(length);
  packet[4] = padding.length;
  let at = 5;
  packet.set(head, at);
  at += head.length;
  packet.set(body, at);
  packet.set(padding, at + body.length);
  return packet.subarray(0, 4 + length);
}

/** Before the first NEWKEYS. */
export class PlainSealer implements Sealer {
  readonly #padding: Padding;

  constructor(padding: Padding) {
    this.#padding = padding;
  }
  seal(_sequence: number, head: Uint8Array, body: Uint8Array, out: Outbox): void {
    const padding = this.#padding.take(paddingLength(5 + head.length + body.length, 8));
    out.append(assembled(head, body, padding));
  }
}

export class PlainOpener implements Opener {
  readonly headBytes = 4;
  readonly tagBytes = 0;
  readonly blockBytes = 8;
  readonly lengthSkew = 4;

  packetLength(_sequence: number, bytes: Buffer, at: number): number {
    return bytes.readUInt32BE(at);
  }
  open(_sequence: number, packet: Buffer): Buffer {
    return packet.subarray(4);
  }
}

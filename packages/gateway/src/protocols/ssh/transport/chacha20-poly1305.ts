import * as nodeCrypto from "node:crypto";
import { createCipheriv, timingSafeEqual } from "node:crypto";
import type { Outbox } from "./outbox.ts";
import { type Opener, type Padding, type Sealer, assembled, forged, paddingLength } from "./packet-cipher.ts";

/**
 * OpenSSH PROTOCOL.chacha20poly1305: one key encrypts the length, the other the packet and, with its first block, the
 * Poly1305 key; the nonce is the packet's sequence number.
 */

const tagBytes = 16;
const blockBytes = 8;
/** The keystream's first block gives the Poly1305 key; the packet starts with the next one. */
const zeroBlock = Buffer.alloc(64);

/** `createMac` is newer than the type declarations of Node. */
type Mac = { update(bytes: Uint8Array): Mac; final(): Buffer };
const { createMac } = nodeCrypto as unknown as { createMac(name: "poly1305", key: Uint8Array): Mac };

/** The two ChaCha20 instances of one direction, moved from packet to packet. */
class Keystreams {
  readonly #lengthKey: Uint8Array;
  readonly #packetKey: Uint8Array;
  /** 8 bytes of block counter, little-endian; then the nonce, a uint64 (big-endian). */
  readonly #iv = Buffer.alloc(16);

  constructor(key: Uint8Array) {
    this.#packetKey = key.subarray(0, 32);
    this.#lengthKey = key.subarray(32, 64);
  }
  length(sequence: number, bytes: Uint8Array): Buffer {
    this.#iv.writeUInt32BE(sequence, 12);
    return createCipheriv("chacha20", this.#lengthKey, this.#iv).update(bytes);
  }
  packet(sequence: number): { cipher: ReturnType<typeof createCipheriv>; mac: Mac } {
    this.#iv.writeUInt32BE(sequence, 12);
    const cipher = createCipheriv("chacha20", this.#packetKey, this.#iv);
    return { cipher, mac: createMac("poly1305", cipher.update(zeroBlock).subarray(0, 32)) };
  }
}

export class ChachaSealer implements Sealer {
  readonly #streams: Keystreams;
  readonly #padding: Padding;

  constructor(key: Uint8Array, padding: Padding) {
    this.#streams = new Keystreams(key);
    this.#padding = padding;
  }

  seal(sequence: number, head: Uint8Array, body: Uint8Array, out: Outbox): void {
    const padding = this.#padding.take(paddingLength(1 + head.length + body.length, blockBytes));
    const packet = assembled(head, body, padding);
    const { cipher, mac } = this.#streams.packet(sequence);
    const length = this.#streams.length(sequence, packet.subarray(0, 4));
    const rest = cipher.update(packet.subarray(4));
    out.append(length);
    out.append(rest);
    out.append(mac.update(length).update(rest).final());
  }
}

export class ChachaOpener implements Opener {
  readonly headBytes = 4;
  readonly tagBytes = tagBytes;
  readonly blockBytes = blockBytes;
  readonly lengthSkew = 0;
  readonly #streams: Keystreams;

  constructor(key: Uint8Array) {
    this.#streams = new Keystreams(key);
  }

  packetLength(sequence: number, bytes: Buffer, at: number): number {
    return this.#streams.length(sequence, bytes.subarray(at, at + 4)).readUInt32BE(0);
  }

  open(sequence: number, packet: Buffer): Buffer {
    const tagAt = packet.length - tagBytes;
    const { cipher, mac } = this.#streams.packet(sequence);
    if (!timingSafeEqual(mac.update(packet.subarray(0, tagAt)).final(), packet.subarray(tagAt)))
      throw forged();
    return cipher.update(packet.subarray(4, tagAt));
  }
}

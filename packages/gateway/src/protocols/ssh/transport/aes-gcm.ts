import { createCipheriv, createDecipheriv } from "node:crypto";
import type { Outbox } from "./outbox.ts";
import { type Opener, type Padding, type Sealer, assembled, forged, paddingLength } from "./packet-cipher.ts";

/**
 * RFC 5647 as OpenSSH PROTOCOL §1.6 names it: the length is in clear and authenticated, the rest is encrypted, the IV
 * is 4 fixed bytes and a counter of packets.
 */

const tagBytes = 16;
const blockBytes = 16;

/** RFC 5647 §7.1: the last 8 bytes count, and wrap after more packets than any key sees. */
function countUp(iv: Buffer): void {
  for (let at = 11; at >= 4; at--) {
    const next = ((iv[at] as number) + 1) & 0xff;
    iv[at] = next;
    if (next !== 0) return;
  }
}

function algorithmOf(key: Uint8Array): "aes-128-gcm" | "aes-256-gcm" {
  return key.length === 16 ? "aes-128-gcm" : "aes-256-gcm";
}

export class AesGcmSealer implements Sealer {
  readonly #algorithm: "aes-128-gcm" | "aes-256-gcm";
  readonly #key: Uint8Array;
  readonly #iv: Buffer;
  readonly #padding: Padding;

  constructor(key: Uint8Array, iv: Uint8Array, padding: Padding) {
    this.#algorithm = algorithmOf(key);
    this.#key = key;
    this.#iv = Buffer.from(iv);
    this.#padding = padding;
  }

  seal(_sequence: number, head: Uint8Array, body: Uint8Array, out: Outbox): void {
    const padding = this.#padding.take(paddingLength(1 + head.length + body.length, blockBytes));
    const packet = assembled(head, body, padding);
    const cipher = createCipheriv(this.#algorithm, this.#key, this.#iv);
    countUp(this.#iv);
    const length = packet.subarray(0, 4);
    cipher.setAAD(length);
    out.append(length);
    out.append(cipher.update(packet.subarray(4)));
    cipher.final();
    out.append(cipher.getAuthTag());
  }
}

export class AesGcmOpener implements Opener {
  readonly headBytes = 4;
  readonly tagBytes = tagBytes;
  readonly blockBytes = blockBytes;
  readonly lengthSkew = 0;
  readonly #algorithm: "aes-128-gcm" | "aes-256-gcm";
  readonly #key: Uint8Array;
  readonly #iv: Buffer;

  constructor(key: Uint8Array, iv: Uint8Array) {
    this.#algorithm = algorithmOf(key);
    this.#key = key;
    this.#iv = Buffer.from(iv);
  }

  packetLength(_sequence: number, bytes: Buffer, at: number): number {
    return bytes.readUInt32BE(at);
  }

  open(_sequence: number, packet: Buffer): Buffer {
    const tagAt = packet.length - tagBytes;
    const decipher = createDecipheriv(this.#algorithm, this.#key, this.#iv);
    countUp(this.#iv);
    decipher.setAAD(packet.subarray(0, 4));
    decipher.setAuthTag(packet.subarray(tagAt));
    const plain = decipher.update(packet.subarray(4, tagAt));
    try {
      decipher.final();
    } catch {
      throw forged();
    }
    return plain;
  }
}

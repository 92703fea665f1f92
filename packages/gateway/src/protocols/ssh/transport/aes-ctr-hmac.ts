import { createCipheriv, createDecipheriv, createHmac, timingSafeEqual } from "node:crypto";
import type { Outbox } from "./outbox.ts";
import { type Opener, type Padding, type Sealer, assembled, forged, paddingLength } from "./packet-cipher.ts";

/**
 * RFC 4344 §4 (AES in counter mode) with RFC 6668's HMACs: either over the ciphertext with the length in clear
 * (OpenSSH PROTOCOL §1.5, "-etm"), or over the plaintext with all encrypted (RFC 4253 §6.4).
 */

const blockBytes = 16;

export type Mac = { hash: "sha256" | "sha512"; bytes: number; overCiphertext: boolean };

type Keys = { key: Uint8Array; iv: Uint8Array; mac: Mac; macKey: Uint8Array };

class Authenticator {
  readonly #hash: string;
  readonly #key: Uint8Array;
  readonly #sequence = Buffer.alloc(4);

  constructor({ mac, macKey }: Keys) {
    this.#hash = mac.hash;
    this.#key = macKey;
  }
  start(sequence: number): ReturnType<typeof createHmac> {
    this.#sequence.writeUInt32BE(sequence);
    return createHmac(this.#hash, this.#key).update(this.#sequence);
  }
}

export class CtrSealer implements Sealer {
  readonly #cipher: ReturnType<typeof createCipheriv>;
  readonly #authenticator: Authenticator;
  readonly #overCiphertext: boolean;
  readonly #padding: Padding;

  constructor(keys: Keys, padding: Padding) {
    this.#cipher = createCipheriv(`aes-${keys.key.length * 8}-ctr`, keys.key, keys.iv);
    this.#authenticator = new Authenticator(keys);
    this.#overCiphertext = keys.mac.overCiphertext;
    this.#padding = padding;
  }

  seal(sequence: number, head: Uint8Array, body: Uint8Array, out: Outbox): void {
    const counted = (this.#overCiphertext ? 1 : 5) + head.length + body.length;
    const packet = assembled(head, body, this.#padding.take(paddingLength(counted, blockBytes)));
    const mac = this.#authenticator.start(sequence);
    if (this.#overCiphertext) {
      const length = packet.subarray(0, 4);
      const rest = this.#cipher.update(packet.subarray(4));
      out.append(length);
      out.append(rest);
      mac.update(length).update(rest);
    } else {
      out.append(this.#cipher.update(packet));
      mac.update(packet);
    }
    out.append(mac.digest());
  }
}

export class CtrEtmOpener implements Opener {
  readonly headBytes = 4;
  readonly tagBytes: number;
  readonly blockBytes = blockBytes;
  readonly lengthSkew = 0;
  readonly #cipher: ReturnType<typeof createDecipheriv>;
  readonly #authenticator: Authenticator;

  constructor(keys: Keys) {
    this.tagBytes = keys.mac.bytes;
    this.#cipher = createDecipheriv(`aes-${keys.key.length * 8}-ctr`, keys.key, keys.iv);
    this.#authenticator = new Authenticator(keys);
  }

  packetLength(_sequence: number, bytes: Buffer, at: number): number {
    return bytes.readUInt32BE(at);
  }

  open(sequence: number, packet: Buffer): Buffer {
    const tagAt = packet.length - this.tagBytes;
    const mac = this.#authenticator.start(sequence).update(packet.subarray(0, tagAt)).digest();
    if (!timingSafeEqual(mac, packet.subarray(tagAt))) throw forged();
    return this.#cipher.update(packet.subarray(4, tagAt));
  }
}

export class CtrOpener implements Opener {
  readonly headBytes = blockBytes;
  readonly tagBytes: number;
  readonly blockBytes = blockBytes;
  readonly lengthSkew = 4;
  readonly #cipher: ReturnType<typeof createDecipheriv>;
  readonly #authenticator: Authenticator;
  /** The packet's first block, decrypted to learn the length: counter mode moves on, so it is kept for `open`. */
  #first: Buffer = Buffer.alloc(0);

  constructor(keys: Keys) {
    this.tagBytes = keys.mac.bytes;
    this.#cipher = createDecipheriv(`aes-${keys.key.length * 8}-ctr`, keys.key, keys.iv);
    this.#authenticator = new Authenticator(keys);
  }

  packetLength(_sequence: number, bytes: Buffer, at: number): number {
    this.#first = this.#cipher.update(bytes.subarray(at, at + blockBytes));
    return this.#first.readUInt32BE(0);
  }

  open(sequence: number, packet: Buffer): Buffer {
    const tagAt = packet.length - this.tagBytes;
    const plain = Buffer.concat([this.#first, this.#cipher.update(packet.subarray(blockBytes, tagAt))]);
    const mac = this.#authenticator.start(sequence).update(plain).digest();
    if (!timingSafeEqual(mac, packet.subarray(tagAt))) throw forged();
    return plain.subarray(4);
  }
}

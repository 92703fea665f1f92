import { assert } from "@gatehouse/kernel";
import type { Lane } from "./frame.ts";
import { recordingIdBytes } from "./recording-id.ts";
import type { SealCrypto } from "./seal-crypto.ts";

export const nonceBytes = 12;
export const tagBytes = 16;
const saltBytes = 7;
const countMax = 2 ** 40;

/**
 * One lane's data key and the nonces under it. A nonce is 7 random bytes, chosen when the sealer is made, and a 40-bit
 * counter that only goes up; it is stored beside what it encrypted.
 *
 * Why not the segment's number or the frame's sequence: a seal that is tried again after a failed write may hold other
 * frames under the same number, and two texts under one AES-GCM nonce give away both and the authentication key. Here
 * a try again simply takes the next count. The data key lives only in the memory of the process that made it, and recovery
 * after a crash ships records as they are without encrypting anything, so no counter is ever resumed; if a process
 * did make a second sealer for one key, 56 random bits keep the two apart.
 */
export class LaneSealer {
  readonly recordingId: string;
  /** The same, as headers have it. */
  readonly recordingIdBytes: Uint8Array;
  readonly lane: Lane;
  readonly #key: Uint8Array;
  readonly #crypto: Pick<SealCrypto, "encrypt">;
  readonly #salt: Uint8Array;
  #count = 0;

  constructor(fields: {
    recordingId: string;
    lane: Lane;
    key: Uint8Array;
    crypto: Pick<SealCrypto, "encrypt" | "random">;
  }) {
    assert(fields.key.length === 32, "a lane's key is 32 bytes");
    this.recordingId = fields.recordingId;
    this.recordingIdBytes = recordingIdBytes(fields.recordingId);
    this.lane = fields.lane;
    this.#key = fields.key;
    this.#crypto = fields.crypto;
    this.#salt = fields.crypto.random(saltBytes);
  }

  /** The next nonce, put into `nonce`; the caller writes it down before it encrypts, since it is part of what is authenticated. */
  nextNonce(nonce = new Uint8Array(nonceBytes)): Uint8Array {
    assert(this.#count < countMax, "a lane's key has nonces left");
    nonce.set(this.#salt);
    const low = this.#count % 0x1_0000_0000;
    nonce[saltBytes] = Math.floor(this.#count / 0x1_0000_0000);
    nonce[saltBytes + 1] = low >>> 24;
    nonce[saltBytes + 2] = low >>> 16;
    nonce[saltBytes + 3] = low >>> 8;
    nonce[saltBytes + 4] = low;
    this.#count++;
    return nonce;
  }

  /** The ciphertext and its tag, in parts. `nonce` comes from `nextNonce`, once. */
  encrypt(nonce: Uint8Array, aad: Uint8Array, plain: Uint8Array): readonly Uint8Array[] {
    return this.#crypto.encrypt(this.#key, nonce, aad, plain);
  }
}

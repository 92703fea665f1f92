import { type Hash, createHash, hash } from "node:crypto";

const gatherBytes = 64 * 1024;
/** From here on copying costs more than the call that it saves. */
const largeBytes = 4096;

/**
 * Count and SHA-256 of what passes. Rows are small and many, so they are gathered before they are hashed; after `done` it
 * begins anew, so that a session needs one and not one for each result.
 */
export class ContentDigest {
  #hash: Hash | undefined;
  #gathered: Buffer | undefined;
  #at = 0;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }
  update(piece: Uint8Array): void {
    this.#bytes += piece.length;
    const large = piece.length >= largeBytes;
    if (large || this.#at + piece.length > gatherBytes) this.#flush();
    if (large) this.#hashed().update(piece);
    else {
      this.#gathered ??= Buffer.allocUnsafeSlow(gatherBytes);
      this.#gathered.set(piece, this.#at);
      this.#at += piece.length;
    }
  }
  done(): { bytes: number; sha256: string } {
    const bytes = this.#bytes;
    let sha256: string;
    if (this.#hash) {
      this.#flush();
      sha256 = this.#hash.digest("hex");
    } else sha256 = hash("sha256", this.#gathered?.subarray(0, this.#at) ?? "", "hex");
    this.#hash = undefined;
    this.#at = 0;
    this.#bytes = 0;
    return { bytes, sha256 };
  }
  #hashed(): Hash {
    return (this.#hash ??= createHash("sha256"));
  }
  #flush(): void {
    if (this.#at > 0 && this.#gathered) this.#hashed().update(this.#gathered.subarray(0, this.#at));
    this.#at = 0;
  }
}

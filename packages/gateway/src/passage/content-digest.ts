import { createHash } from "node:crypto";

const gatherBytes = 64 * 1024;

/** Count and SHA-256 of what a copy carries. Rows are small and many, so they are gathered before they are hashed. */
export class ContentDigest {
  readonly #hash = createHash("sha256");
  readonly #gathered = Buffer.allocUnsafe(gatherBytes);
  #at = 0;
  #bytes = 0;

  update(piece: Uint8Array): void {
    this.#bytes += piece.length;
    if (this.#at + piece.length > gatherBytes) this.#flush();
    if (piece.length >= gatherBytes) this.#hash.update(piece);
    else {
      this.#gathered.set(piece, this.#at);
      this.#at += piece.length;
    }
  }
  done(): { bytes: number; sha256: string } {
    this.#flush();
    return { bytes: this.#bytes, sha256: this.#hash.digest("hex") };
  }
  #flush(): void {
    this.#hash.update(this.#gathered.subarray(0, this.#at));
    this.#at = 0;
  }
}

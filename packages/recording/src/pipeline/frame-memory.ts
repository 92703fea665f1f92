/** Smaller ones share a slab: a session that sends little holds it for no longer than its segment is open. */
const blockBytesMin = 4096;
const slabBytes = 16 * 1024;
const blockBytesMax = 4 * 1024 * 1024;
const scratchBytes = 1024 * 1024;
const keptBytesMax = 32 * 1024 * 1024;

/**
 * Where frames lie from `append` until their segment is sealed. Large ones get blocks that are used again: with bulk data,
 * memory fresh from the system costs more than all the copying, since each of its pages has to be found and cleared.
 */
export class FrameMemory {
  /** For the plain text of one record, until it is encrypted. */
  readonly scratch = Buffer.alloc(scratchBytes);
  /** Free blocks by size, which is a power of two. */
  readonly #free = new Map<number, ArrayBuffer[]>();
  #keptBytes = 0;
  #slab = new Uint8Array(0);
  #slabAt = 0;

  copy(data: Uint8Array): Uint8Array {
    if (data.length < blockBytesMin) return this.#small(data);
    const copy = this.borrow(data.length);
    copy.set(data);
    return copy;
  }

  #small(data: Uint8Array): Uint8Array {
    if (this.#slabAt + data.length > this.#slab.length) {
      this.#slab = new Uint8Array(slabBytes);
      this.#slabAt = 0;
    }
    const at = this.#slabAt;
    this.#slabAt += data.length;
    this.#slab.set(data, at);
    return this.#slab.subarray(at, at + data.length);
  }

  /** So many bytes, holding whatever was there before. */
  borrow(bytes: number): Uint8Array {
    if (bytes > blockBytesMax) return Buffer.allocUnsafeSlow(bytes);
    const size = 2 ** Math.ceil(Math.log2(Math.max(bytes, blockBytesMin)));
    const block = this.#free.get(size)?.pop();
    if (block) this.#keptBytes -= size;
    return new Uint8Array(block ?? Buffer.allocUnsafeSlow(size).buffer, 0, bytes);
  }

  /** Takes back what `copy` or `borrow` gave. Nobody may look at it afterwards. */
  release(data: Uint8Array): void {
    const block = data.buffer as ArrayBuffer;
    const size = block.byteLength;
    if (data.length < blockBytesMin || data.length > blockBytesMax || this.#keptBytes + size > keptBytesMax)
      return;
    const free = this.#free.get(size);
    if (free) free.push(block);
    else this.#free.set(size, [block]);
    this.#keptBytes += size;
  }
}

/** Stream and length before each run of bytes. */
const headBytes = 5;

/** A queue that was drained gives larger memory than this back. */
const keptBytes = 64 * 1024;
/** Memory of drained bursts, shared by all channels: bulk fills and drains a queue hundreds of times a second. */
const spares: Uint8Array<ArrayBuffer>[] = [];
const sparesMax = 4;
const spareBytesMax = 8 * 1024 * 1024;

/**
 * Bytes of several streams, kept in their order until somebody takes them. Neighbouring bytes of one stream become one
 * run, and everything lies in one buffer: a peer that sends single bytes costs a few bytes each, not an object each.
 */
export class StreamQueue {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #view = new DataView(this.#bytes.buffer);
  #from = 0;
  #to = 0;
  /** Where the last run begins, while it may still grow. */
  #last = -1;
  /** Data bytes inside, heads not counted. */
  length = 0;

  push(data: Uint8Array, stream: number): void {
    if (data.length === 0) return;
    const grows = this.#last >= 0 && this.#bytes[this.#last] === stream;
    this.#reserve(data.length + (grows ? 0 : headBytes));
    if (grows) this.#view.setUint32(this.#last + 1, this.#view.getUint32(this.#last + 1) + data.length);
    else {
      this.#last = this.#to;
      this.#bytes[this.#to] = stream;
      this.#view.setUint32(this.#to + 1, data.length);
      this.#to += headBytes;
    }
    this.#bytes.set(data, this.#to);
    this.#to += data.length;
    this.length += data.length;
  }

  /** Hands at most `max` bytes of the first run to `sink`, as a view, and forgets them. `sink` must not push here. */
  take(max: number, sink: (view: Uint8Array, stream: number) => void): void {
    if (this.length === 0 || max <= 0) return;
    const stream = this.#bytes[this.#from] as number;
    const run = this.#view.getUint32(this.#from + 1);
    const count = Math.min(run, max);
    const start = this.#from + headBytes;
    const view = this.#bytes.subarray(start, start + count);
    this.length -= count;
    if (count < run) {
      // The head moves up behind the bytes that were taken; it is written after `sink` is done with them.
      sink(view, stream);
      if (this.#last === this.#from) this.#last += count;
      this.#from += count;
      this.#bytes[this.#from] = stream;
      this.#view.setUint32(this.#from + 1, run - count);
      return;
    }
    if (this.#last === this.#from) this.#last = -1;
    this.#from = start + count;
    sink(view, stream);
    if (this.length === 0) this.clear();
  }

  clear(): void {
    this.#from = 0;
    this.#to = 0;
    this.#last = -1;
    this.length = 0;
    // A burst must not keep its memory for the rest of a long session.
    if (this.#bytes.length <= keptBytes) return;
    if (spares.length < sparesMax && this.#bytes.length <= spareBytesMax) spares.push(this.#bytes);
    this.#use(new Uint8Array(0));
  }

  #reserve(bytes: number): void {
    if (this.#to + bytes <= this.#bytes.length) return;
    const held = this.#to - this.#from;
    const capacity = Math.max(4096, 2 * (held + bytes));
    if (capacity <= this.#bytes.length) {
      // Half of it was taken already: what is left moves to the front.
      this.#bytes.copyWithin(0, this.#from, this.#to);
    } else {
      const at = capacity > keptBytes ? spares.findIndex((spare) => spare.length >= capacity) : -1;
      const next = spares.splice(at, at < 0 ? 0 : 1)[0] ?? unfilled(capacity);
      next.set(this.#bytes.subarray(this.#from, this.#to));
      this.#use(next);
    }
    if (this.#last >= 0) this.#last -= this.#from;
    this.#to -= this.#from;
    this.#from = 0;
  }
  #use(bytes: Uint8Array<ArrayBuffer>): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }
}

/** Everything in it is written before it is read. */
function unfilled(bytes: number): Uint8Array<ArrayBuffer> {
  return Buffer.allocUnsafeSlow(bytes);
}

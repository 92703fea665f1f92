import type { Socket } from "node:net";

/** Pieces to forward, joined where they lie behind each other: what came in one chunk leaves in one write. */
export class Spans {
  readonly #spans: Uint8Array[] = [];
  /** The last span, which grows: where it lies. Nothing is made of it before it is written. */
  #buffer: ArrayBufferLike | undefined;
  #from = 0;
  #to = 0;
  bytes = 0;

  add(raw: Uint8Array): void {
    if (raw.length === 0) return;
    this.bytes += raw.length;
    if (this.#buffer !== raw.buffer || this.#to !== raw.byteOffset) {
      this.#close();
      this.#buffer = raw.buffer;
      this.#from = raw.byteOffset;
      this.#to = raw.byteOffset;
    }
    this.#to += raw.length;
  }
  write(socket: Socket): void {
    this.#close();
    if (socket.destroyed || socket.writableEnded) return;
    const [only] = this.#spans;
    if (only && this.#spans.length === 1) return void socket.write(only);
    socket.cork();
    for (const span of this.#spans) socket.write(span);
    socket.uncork();
  }
  #close(): void {
    // A Buffer, because that is what a socket makes of anything else.
    if (this.#buffer) this.#spans.push(Buffer.from(this.#buffer, this.#from, this.#to - this.#from));
    this.#buffer = undefined;
  }
}

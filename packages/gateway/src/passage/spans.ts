import type { Socket } from "node:net";

/** Pieces to forward, joined where they lie behind each other: what came in one chunk leaves in one write. */
export class Spans {
  readonly #spans: Uint8Array[] = [];
  bytes = 0;

  add(raw: Uint8Array): void {
    if (raw.length === 0) return;
    this.bytes += raw.length;
    const last = this.#spans.at(-1);
    if (last && last.buffer === raw.buffer && last.byteOffset + last.length === raw.byteOffset)
      this.#spans[this.#spans.length - 1] = new Uint8Array(
        last.buffer,
        last.byteOffset,
        last.length + raw.length,
      );
    else this.#spans.push(raw);
  }
  write(socket: Socket): void {
    if (socket.destroyed || socket.writableEnded) return;
    const [only] = this.#spans;
    if (only && this.#spans.length === 1) return void socket.write(only);
    socket.cork();
    for (const span of this.#spans) socket.write(span);
    socket.uncork();
  }
}

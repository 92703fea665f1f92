import type { Socket } from "node:net";
import { Duplex } from "node:stream";

/** What happens to written bytes on the way: into which chunks they fall, or what they become. */
export type Shape = (bytes: Buffer) => Buffer[];

/** A socket whose other end is in this process, so that a test decides about every chunk. */
class MemorySocket extends Duplex {
  peer: MemorySocket | undefined;
  shape: Shape = (bytes) => [bytes];
  #waiting: (() => void) | undefined;

  constructor() {
    super({ allowHalfOpen: false, readableHighWaterMark: 65_536, writableHighWaterMark: 65_536 });
  }
  setNoDelay(): this {
    return this;
  }
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const peer = this.peer as MemorySocket;
    let room = true;
    for (const piece of this.shape(chunk)) if (!peer.destroyed && piece.length > 0) room = peer.push(piece);
    if (room || peer.destroyed) setImmediate(done);
    else peer.#waiting = done;
  }
  override _final(done: () => void): void {
    const peer = this.peer as MemorySocket;
    if (!peer.destroyed) peer.push(null);
    done();
  }
  override _read(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.();
  }
  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this._read();
    const peer = this.peer as MemorySocket;
    if (!peer.destroyed && !peer.readableEnded && !this.writableEnded) setImmediate(() => peer.destroy());
    done(error);
  }
}

/** Two ends; a shape is for what that end writes. */
export function memorySockets(shapes: { near?: Shape; far?: Shape } = {}): { near: Socket; far: Socket } {
  const near = new MemorySocket();
  const far = new MemorySocket();
  near.peer = far;
  far.peer = near;
  if (shapes.near) near.shape = shapes.near;
  if (shapes.far) far.shape = shapes.far;
  return { near: near as unknown as Socket, far: far as unknown as Socket };
}

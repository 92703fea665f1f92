import { Duplex } from "node:stream";
import type { Channel } from "../connection/mod.ts";

/**
 * A channel as a socket, for the connection inside a connection that `ssh -J` makes: the same transport runs on it as on TCP.
 * What is read is told to the channel as consumed when it was taken, so the windows of both layers hold.
 */
export class ChannelSocket extends Duplex {
  readonly #channel: Channel;
  #resume: (() => void) | undefined;

  constructor(channel: Channel) {
    super({ allowHalfOpen: true });
    this.#channel = channel;
    channel.attach({
      data: (view, stream) => {
        // Standard error has no place in a stream of packets.
        if (stream === 0 && !this.push(Buffer.from(view))) this.#paused += view.length;
        else channel.consumed(view.length);
      },
      eof: () => this.push(null),
      request: (request) => request.reply(false),
      drain: () => this.#drained(),
      closed: (error) => {
        this.#drained();
        this.destroy(error);
      },
    });
  }
  /** Bytes that the reader has not asked for yet. */
  #paused = 0;

  /** TCP's; a channel has nothing to delay. */
  setNoDelay(): this {
    return this;
  }
  override _read(): void {
    const bytes = this.#paused;
    this.#paused = 0;
    if (bytes > 0) this.#channel.consumed(bytes);
  }
  override _write(chunk: Uint8Array, _encoding: BufferEncoding, written: () => void): void {
    if (this.#channel.write(chunk)) return written();
    this.#resume = written;
  }
  override _final(done: () => void): void {
    this.#channel.eof();
    done();
  }
  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#channel.close();
    done(error);
  }
  #drained(): void {
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }
}

import type { Socket } from "node:net";

/** Above this the producer should stop, below the other it may go on. */
const highMarkBytes = 1024 * 1024;
const lowMarkBytes = 256 * 1024;

/** Small pieces are gathered in blocks of this. */
const blockBytes = 16 * 1024;
/** What is larger is not copied again, it goes out as a buffer of its own. */
const copyBytesMax = 1024;

/**
 * Everything on its way out. The pieces of one turn of the event loop leave in one write of the socket: small ones
 * gathered in a block, large ones as they are.
 */
export class Outbox {
  readonly #socket: Socket;
  #pieces: Uint8Array[] = [];
  #pieceBytes = 0;
  #block = Buffer.alloc(0);
  #blockStart = 0;
  #blockAt = 0;
  #scheduled = false;
  #congested = false;
  /** Bytes that the transport holds back elsewhere and that count as backlog too. */
  heldBytes = 0;
  #waiting: (() => void)[] = [];
  #closed = false;
  /** An error of a write comes as the socket's own event too, where it is dealt with. */
  readonly #written = (): void => this.#relieve();
  readonly #flushLater = (): void => this.flush();

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Copies. */
  append(bytes: Uint8Array): void {
    if (this.#blockAt + bytes.length > this.#block.length) {
      this.#cut();
      this.#block = Buffer.allocUnsafeSlow(Math.max(blockBytes, bytes.length));
      this.#blockStart = 0;
      this.#blockAt = 0;
    }
    this.#block.set(bytes, this.#blockAt);
    this.#blockAt += bytes.length;
    this.#added(bytes.length);
  }

  /** Keeps large ones: `bytes` must not change afterwards. */
  push(bytes: Uint8Array): void {
    if (bytes.length <= copyBytesMax) return this.append(bytes);
    this.#cut();
    this.#pieces.push(bytes);
    this.#added(bytes.length);
  }

  #cut(): void {
    if (this.#blockAt === this.#blockStart) return;
    this.#pieces.push(this.#block.subarray(this.#blockStart, this.#blockAt));
    this.#blockStart = this.#blockAt;
  }

  #added(length: number): void {
    this.#pieceBytes += length;
    if (this.#scheduled) return;
    this.#scheduled = true;
    // A tick runs after the callback that is running, and after the promises it settled.
    process.nextTick(this.#flushLater);
  }

  flush(): void {
    this.#scheduled = false;
    this.#cut();
    const pieces = this.#pieces;
    if (pieces.length === 0) return;
    this.#pieces = [];
    this.#pieceBytes = 0;
    if (this.#closed || this.#socket.destroyed || this.#socket.writableEnded) return;
    const last = pieces.length - 1;
    if (last === 0) {
      this.#socket.write(pieces[0] as Uint8Array, this.#written);
      return;
    }
    this.#socket.cork();
    for (let i = 0; i < last; i++) this.#socket.write(pieces[i] as Uint8Array);
    this.#socket.write(pieces[last] as Uint8Array, this.#written);
    this.#socket.uncork();
  }

  get backlogBytes(): number {
    return this.#pieceBytes + this.heldBytes + this.#socket.writableLength;
  }

  /** From the high mark until the low mark. */
  get congested(): boolean {
    if (!this.#congested && this.backlogBytes > highMarkBytes) this.#congested = true;
    return this.#congested;
  }

  drained(): Promise<void> {
    if (this.#closed || !this.congested) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Nothing more leaves; whoever waits is let go. */
  close(): void {
    this.#closed = true;
    this.#pieces = [];
    this.#pieceBytes = 0;
    this.heldBytes = 0;
    this.#blockStart = this.#blockAt;
    this.#letGo();
  }

  #relieve(): void {
    if (this.#congested && this.backlogBytes <= lowMarkBytes) this.#letGo();
  }
  #letGo(): void {
    this.#congested = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

import type { Socket } from "node:net";

/** Above this the producer should stop, below the other it may go on. */
const highMarkBytes = 1024 * 1024;
const lowMarkBytes = 256 * 1024;

const blockBytes = 128 * 1024;
/** What is shorter than this leaves in a buffer of its own size, so that a slow peer never pins nearly empty blocks. */
const wholeBlockBytes = 32 * 1024;
/** Blocks that no connection uses. They hold only what went over a network already. */
const freeBlocks: Buffer[] = [];
const freeBlocksMax = 16;

/**
 * Everything on its way out. Packets are copied together into a block, and those of one turn of the event loop leave in
 * one write of the socket: for packets of 32 KiB that costs less than a list of buffers, for small ones far less.
 */
export class Outbox {
  readonly #socket: Socket;
  #block: Buffer | undefined;
  #blockAt = 0;
  #full: Buffer[] = [];
  #pendingBytes = 0;
  #scheduled = false;
  #congested = false;
  /** Bytes that the transport holds back elsewhere and that count as backlog too. */
  heldBytes = 0;
  /** What the socket was given, in order; undefined where it was no block. */
  readonly #inFlight: (Buffer | undefined)[] = [];
  #waiting: (() => void)[] = [];
  #closed = false;
  readonly #flushLater = (): void => this.flush();
  readonly #written = (error?: Error | null): void => {
    const block = this.#inFlight.shift();
    // After an error it is not known who still looks at it. The error itself comes as the socket's event too.
    if (error) return;
    if (block !== undefined && freeBlocks.length < freeBlocksMax) freeBlocks.push(block);
    if (this.#congested && this.backlogBytes <= lowMarkBytes) this.#letGo();
  };

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Copies `bytes` to the end. */
  append(bytes: Uint8Array): void {
    let block = this.#block;
    if (block === undefined || this.#blockAt + bytes.length > block.length) {
      if (block !== undefined) this.#full.push(block.subarray(0, this.#blockAt));
      block =
        bytes.length > blockBytes
          ? Buffer.allocUnsafeSlow(bytes.length)
          : (freeBlocks.pop() ?? Buffer.allocUnsafeSlow(blockBytes));
      this.#block = block;
      this.#blockAt = 0;
    }
    block.set(bytes, this.#blockAt);
    this.#blockAt += bytes.length;
    this.#pendingBytes += bytes.length;
    if (this.#scheduled) return;
    this.#scheduled = true;
    // A tick runs after the callback that is running, and after the promises it settled.
    process.nextTick(this.#flushLater);
  }

  flush(): void {
    this.#scheduled = false;
    const block = this.#block;
    if (block === undefined) return;
    const full = this.#full;
    this.#block = undefined;
    this.#full = [];
    this.#pendingBytes = 0;
    if (this.#closed || this.#socket.destroyed || this.#socket.writableEnded) return;
    if (full.length === 0) return this.#write(block.subarray(0, this.#blockAt));
    this.#socket.cork();
    for (const bytes of full) this.#write(bytes);
    this.#write(block.subarray(0, this.#blockAt));
    this.#socket.uncork();
  }

  /** `bytes` is the beginning of a block. */
  #write(bytes: Buffer): void {
    const block = Buffer.from(bytes.buffer);
    const whole = block.length === blockBytes;
    if (whole && bytes.length < wholeBlockBytes) {
      const copy = Buffer.from(bytes);
      if (freeBlocks.length < freeBlocksMax) freeBlocks.push(block);
      this.#inFlight.push(undefined);
      this.#socket.write(copy, this.#written);
      return;
    }
    this.#inFlight.push(whole ? block : undefined);
    this.#socket.write(bytes, this.#written);
  }

  get backlogBytes(): number {
    return this.#pendingBytes + this.heldBytes + this.#socket.writableLength;
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
    this.#block = undefined;
    this.#full = [];
    this.#pendingBytes = 0;
    this.heldBytes = 0;
    this.#letGo();
  }

  #letGo(): void {
    this.#congested = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

import type { Socket } from "node:net";
import { GatehouseError, checkLimit } from "@gatehouse/kernel";
import { ByteQueue } from "../../../passage/mod.ts";
import { PacketSplitter, broken, encodePacket } from "../wire/packets.ts";

/** Messages one at a time, for the words before data flows. */
export type Dialogue = {
  next(): Promise<Uint8Array>;
  send(payload: Uint8Array): void;
  /** The number of the next packet, whoever sends it. */
  readonly sequence: number;
};

/** Of a message during sign-in: names, attributes, passwords, a session's state. */
const messageBytesMax = 256 * 1024;

/** A dialogue over a socket. Rejects when the socket closes, or what comes is out of order or too large. */
export class SocketDialogue implements Dialogue {
  readonly #socket: Socket;
  readonly #op: string;
  readonly #queue: ByteQueue;
  sequence: number;

  constructor(socket: Socket, op: string, sequence = 0) {
    this.#socket = socket;
    this.#op = op;
    this.#queue = new ByteQueue(socket, op);
    this.sequence = sequence;
  }
  async next(): Promise<Uint8Array> {
    const head = await this.#queue.atLeast(4);
    const length = (head[0] as number) | ((head[1] as number) << 8) | ((head[2] as number) << 16);
    checkLimit(this.#op, "a message's bytes", length, messageBytesMax);
    if (head[3] !== (this.sequence & 0xff)) throw broken(this.#op, `packet ${head[3]} out of order`);
    await this.#queue.atLeast(4 + length);
    this.sequence++;
    return this.#queue.take(4 + length).subarray(4);
  }
  send(payload: Uint8Array): void {
    this.#socket.write(encodePacket(this.sequence++, payload));
  }
  /** What came behind the last message. */
  rest(): Uint8Array {
    return this.#queue.take(this.#queue.bytes);
  }
}

/** A dialogue in the midst of a session, fed with what the other side sends while the session's data stand still. */
export class FedDialogue implements Dialogue {
  readonly #op: string;
  readonly #write: (bytes: Uint8Array) => void;
  readonly #splitter: PacketSplitter;
  readonly #waiting: Uint8Array[] = [];
  #failure: unknown;
  #wake: (() => void) | undefined;
  sequence: number;

  constructor(options: { op: string; write(bytes: Uint8Array): void; sequence: number }) {
    this.#op = options.op;
    this.#write = options.write;
    this.sequence = options.sequence;
    this.#splitter = new PacketSplitter({
      op: options.op,
      wholeBytesMax: messageBytesMax,
      sink: {
        begins: () => "whole",
        whole: (payload, _raw, last) => {
          this.sequence = last + 1;
          this.#waiting.push(Uint8Array.from(payload));
        },
        pass: () => undefined,
      },
    });
  }
  feed(chunk: Uint8Array): void {
    try {
      this.#splitter.feed(chunk);
    } catch (error) {
      this.#failure = error;
    }
    this.#wake?.();
  }
  closed(): void {
    this.#failure ??= new GatehouseError({
      code: "unavailable",
      op: this.#op,
      message: "the other side left",
    });
    this.#wake?.();
  }
  async next(): Promise<Uint8Array> {
    for (;;) {
      const message = this.#waiting.shift();
      if (message) return message;
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
  send(payload: Uint8Array): void {
    this.#write(encodePacket(this.sequence++ & 0xff, payload));
  }
}

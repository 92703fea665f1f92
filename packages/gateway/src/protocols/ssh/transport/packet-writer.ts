import { assert } from "@gatehouse/kernel";
import type { Outbox } from "./outbox.ts";
import { type Padding, PlainSealer, type Sealer, packetLengthMax } from "./packet-cipher.ts";

/** Leaves room for padding and framing. */
const payloadBytesMax = packetLengthMax - 512;
/** What a payload that waits costs beyond its bytes, roughly. */
const waitingOverheadBytes = 128;

/** Seals payloads one after another, and keeps those that must wait for the end of a key exchange. */
export class PacketWriter {
  /** Payload bytes and packets since `restart`. */
  bytes = 0;
  packets = 0;
  readonly #outbox: Outbox;
  #sealer: Sealer;
  #sequence = 0;
  #waiting: Uint8Array[] = [];

  constructor(outbox: Outbox, padding: Padding) {
    this.#outbox = outbox;
    this.#sealer = new PlainSealer(padding);
  }

  /** From the next packet on; `resetSequence` is what strict key exchange asks for. */
  use(sealer: Sealer, resetSequence: boolean): void {
    this.#sealer = sealer;
    if (resetSequence) this.#sequence = 0;
  }

  restart(): void {
    this.bytes = 0;
    this.packets = 0;
  }

  seal(head: Uint8Array, body: Uint8Array): void {
    const length = head.length + body.length;
    assert(length > 0 && length <= payloadBytesMax, "a payload that fits into a packet");
    this.#sealer.seal(this.#sequence, head, body, this.#outbox);
    this.#sequence = (this.#sequence + 1) >>> 0;
    this.bytes += length;
    this.packets++;
  }

  /** Copies, for `sealWaiting`. */
  wait(head: Uint8Array, body: Uint8Array): void {
    const copy = Buffer.concat([head, body]);
    this.#waiting.push(copy);
    this.#outbox.heldBytes += copy.length + waitingOverheadBytes;
  }

  sealWaiting(): void {
    const waiting = this.#waiting;
    this.dropWaiting();
    for (const payload of waiting) this.seal(payload, noBytes);
  }
  dropWaiting(): void {
    this.#waiting = [];
    this.#outbox.heldBytes = 0;
  }
}

export const noBytes = new Uint8Array(0);

/**
 * Two SSH transports joined in memory, without encryption: what one sends, the other gets in a later turn of the event
 * loop. For tests of what stands on a transport.
 */
import type { Transport, TransportEvents } from "../../packages/gateway/src/protocols/ssh/transport/door.ts";

export class MemoryTransport implements Transport {
  readonly sessionId = new Uint8Array(32).fill(7);
  readonly peerIdentification = "SSH-2.0-Memory";
  readonly negotiated = {
    kex: "",
    hostKey: "ssh-ed25519",
    cipherIn: "",
    cipherOut: "",
    macIn: "",
    macOut: "",
  };
  peerSignatureAlgorithms: readonly string[] | undefined;
  /** Every payload sent, copied. */
  readonly sent: Uint8Array[] = [];
  disconnected: { reason: number; message: string } | undefined;
  /** Packets the far side has not taken; `held` keeps them there. */
  highMarkBytes = 1024 * 1024;
  #held = false;
  #waiting: Uint8Array[] = [];
  #scheduled = false;
  #drained: (() => void)[] = [];
  #peer: TransportEvents | undefined;
  #own: TransportEvents;
  #closed = false;
  backlogBytes = 0;

  constructor(own: TransportEvents) {
    this.#own = own;
  }
  connect(peer: TransportEvents): void {
    this.#peer = peer;
  }
  /** The far side stops or starts reading. */
  hold(held: boolean): void {
    this.#held = held;
    if (!held) this.#schedule();
  }
  send(payload: Uint8Array): void {
    if (this.#closed) return;
    const copy = Uint8Array.from(payload);
    this.sent.push(copy);
    this.#waiting.push(copy);
    this.backlogBytes += copy.length;
    this.#schedule();
  }
  sendParts(head: Uint8Array, body: Uint8Array): void {
    this.send(Buffer.concat([head, body]));
  }
  get congested(): boolean {
    return this.backlogBytes > this.highMarkBytes;
  }
  drained(): Promise<void> {
    if (!this.congested) return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }
  pause(): void {}
  resume(): void {}
  disconnect(reason: number, message: string): void {
    this.disconnected ??= { reason, message };
    this.destroy();
  }
  destroy(): void {
    if (this.#closed) return;
    this.#closed = true;
    setImmediate(() => {
      this.#own.closed(undefined);
      this.#peer?.closed(undefined);
    });
  }
  #schedule(): void {
    if (this.#scheduled || this.#held) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#held) return;
      const batch = this.#waiting;
      this.#waiting = [];
      this.backlogBytes = 0;
      for (const payload of batch) this.#peer?.packet(payload);
      const drained = this.#drained;
      this.#drained = [];
      for (const resolve of drained) resolve();
    });
  }
}

/** Two ends; the events may be routed later. */
export function memoryTransports(
  left: TransportEvents,
  right: TransportEvents,
): [MemoryTransport, MemoryTransport] {
  const a = new MemoryTransport(left);
  const b = new MemoryTransport(right);
  a.connect(right);
  b.connect(left);
  return [a, b];
}

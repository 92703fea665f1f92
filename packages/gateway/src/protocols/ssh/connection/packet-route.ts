import type { TransportEvents } from "../transport/door.ts";

export type PacketHandler = {
  packet(payload: Uint8Array): void;
  transportClosed(error: Error | undefined): void;
};

/** What a peer may send before anybody listens: its first requests fit many times over. */
const earlyBytesMax = 256 * 1024;
/** What a kept packet costs beyond its own bytes, roughly: empty ones are not free. */
const packetOverheadBytes = 128;

/**
 * Where a transport's packets go: authentication first, the connection from its success on. A transport wants its
 * callbacks before it exists, and a peer may speak before its first handler is there: those packets are kept.
 */
export class PacketRoute {
  readonly events: TransportEvents = {
    packet: (payload) => this.#packet(payload),
    closed: (error) => this.#closed(error),
  };
  #handler: PacketHandler | undefined;
  #early: Uint8Array[] = [];
  #earlyBytes = 0;
  #end: { error: Error | undefined } | undefined;
  readonly #overrun: () => void;

  /** `overrun` is called when the peer sends more than a bound before `to`. */
  constructor(overrun: () => void) {
    this.#overrun = overrun;
  }

  to(handler: PacketHandler): void {
    this.#handler = handler;
    const early = this.#early;
    this.#early = [];
    // A handler may hand over to the next one in the middle.
    for (const payload of early) this.#packet(payload);
    if (this.#end) this.#handler.transportClosed(this.#end.error);
  }

  #packet(payload: Uint8Array): void {
    if (this.#handler) return this.#handler.packet(payload);
    this.#earlyBytes += payload.length + packetOverheadBytes;
    if (this.#earlyBytes > earlyBytesMax) return this.#overrun();
    this.#early.push(Uint8Array.from(payload));
  }
  #closed(error: Error | undefined): void {
    this.#end = { error };
    this.#handler?.transportClosed(error);
  }
}

import type { TransportEvents } from "../transport/door.ts";

export type PacketHandler = {
  packet(payload: Uint8Array): void;
  transportClosed(error: Error | undefined): void;
};

/**
 * Where a transport's packets go: to authentication first, to the connection from its success on. A transport wants
 * its callbacks before it exists, and calls none before whoever opened it ran: the first handler is there in time.
 */
export class PacketRoute {
  readonly events: TransportEvents = {
    packet: (payload) => this.#handler?.packet(payload),
    closed: (error) => this.#handler?.transportClosed(error),
  };
  #handler: PacketHandler | undefined;

  /** From the next packet on. */
  to(handler: PacketHandler): void {
    this.#handler = handler;
  }
}

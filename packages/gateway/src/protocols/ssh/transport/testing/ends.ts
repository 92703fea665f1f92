import type { Socket } from "node:net";
import { generateKey, keySigner } from "../../keys/mod.ts";
import type { ClientTransportOptions, ServerTransportOptions, Transport, TransportOptions } from "../door.ts";
import { openTransport } from "../transport.ts";
import { type Shape, memorySockets } from "./memory-socket.ts";

export const hostKey = keySigner(generateKey("ed25519"));

/** One end and what it saw. */
export class End {
  readonly received: Buffer[] = [];
  readonly closed: Promise<Error | undefined>;
  transport!: Transport;
  /** Called with every packet, before it is kept. */
  onPacket: ((payload: Buffer) => void) | undefined;
  #close!: (error: Error | undefined) => void;
  #waiting: { count: number; resolve: () => void }[] = [];
  readonly events = {
    packet: (payload: Uint8Array) => {
      const copy = Buffer.from(payload);
      this.onPacket?.(copy);
      this.received.push(copy);
      this.#waiting = this.#waiting.filter((wait) => {
        if (this.received.length < wait.count) return true;
        wait.resolve();
        return false;
      });
    },
    closed: (error: Error | undefined) => this.#close(error),
  };

  constructor() {
    this.closed = new Promise((resolve) => (this.#close = resolve));
  }
  /** Resolves when so many packets came in all; rejects when the connection ends before. */
  async packets(count: number): Promise<Buffer[]> {
    if (this.received.length < count) {
      const all = new Promise<void>((resolve) => this.#waiting.push({ count, resolve }));
      const early = this.closed.then((error) => {
        if (this.received.length < count)
          throw error ?? new Error(`closed after ${this.received.length} packets of ${count}`);
      });
      await Promise.race([all, early]);
    }
    return this.received;
  }
}

type Extra = Partial<Omit<TransportOptions, "socket" | "events" | "role">>;

export async function openServer(
  socket: Socket,
  extra: Extra & Partial<ServerTransportOptions> = {},
): Promise<End> {
  const end = new End();
  end.transport = await openTransport({
    hostKeys: [hostKey],
    ...extra,
    role: "server",
    socket,
    events: end.events,
  });
  return end;
}

export async function openClient(
  socket: Socket,
  extra: Extra & Partial<ClientTransportOptions> = {},
): Promise<End> {
  const end = new End();
  end.transport = await openTransport({
    hostKeyAlgorithms: hostKey.algorithms,
    verifyHostKey() {},
    ...extra,
    role: "client",
    socket,
    events: end.events,
  });
  return end;
}

/** Two of our ends over sockets in memory. */
export async function openPair(
  options: {
    server?: Extra & Partial<ServerTransportOptions>;
    client?: Extra & Partial<ClientTransportOptions>;
    shapeToServer?: Shape;
    shapeToClient?: Shape;
  } = {},
): Promise<{ server: End; client: End }> {
  const { near, far } = memorySockets({
    ...(options.shapeToServer ? { near: options.shapeToServer } : {}),
    ...(options.shapeToClient ? { far: options.shapeToClient } : {}),
  });
  const [server, client] = await Promise.all([
    openServer(far, options.server),
    openClient(near, options.client),
  ]);
  return { server, client };
}

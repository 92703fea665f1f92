import { type Server, type Socket, createServer } from "node:net";
import { type Clock, isGatehouseError, messageOf } from "@gatehouse/kernel";

export type ArrivalLimits = {
  connectionsMax: number;
  unauthenticatedMax: number;
  signInTimeoutMs: number;
};

export type ArrivalsOptions = {
  /** For the operational log. */
  protocol: string;
  listen: { host: string; port: number };
  limits: ArrivalLimits;
  clock: Clock;
  log: { warn(message: string, fields: Record<string, string | number>): void };
  /** The socket is paused. `known` is to be called when it is clear who it is. A rejection closes the connection. */
  serve(socket: Socket, known: () => void): Promise<void>;
};

/** How long a client that was refused has to read why. */
export const farewellMs = 2000;

/** A port where clients come in: so many at a time, and a limited time until it is known who they are. */
export class Arrivals {
  readonly #options: ArrivalsOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #clients = 0;
  #unauthenticated = 0;

  constructor(options: ArrivalsOptions) {
    this.#options = options;
    this.#server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => this.#came(socket));
  }

  listen(): Promise<{ host: string; port: number }> {
    const { host, port } = this.#options.listen;
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ host, port }, () => {
        const bound = this.#server.address() as { port: number };
        resolve({ host, port: bound.port });
      });
    });
  }

  /** Another socket that must not outlive the port: the way to a target. */
  keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
  }

  /** No new connections; resolves when all are closed. Sessions are ended by their own room before. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #came(socket: Socket): void {
    const { limits, clock, protocol, log } = this.#options;
    socket.on("error", () => undefined);
    if (this.#clients >= limits.connectionsMax || this.#unauthenticated >= limits.unauthenticatedMax)
      return void socket.destroy();
    this.keep(socket);
    this.#clients++;
    socket.once("close", () => this.#clients--);
    this.#unauthenticated++;
    const timer = clock.after(limits.signInTimeoutMs, () => socket.destroy());
    let waiting = true;
    const known = () => {
      if (!waiting) return;
      waiting = false;
      this.#unauthenticated--;
      timer.cancel();
    };
    this.#options
      .serve(socket, known)
      .catch((error: unknown) => {
        // What a client does wrong before anybody is known is told to it alone.
        if (!isGatehouseError(error)) log.warn("a connection failed", { protocol, error: messageOf(error) });
        socket.end();
        clock.after(limits.signInTimeoutMs, () => socket.destroy());
      })
      .finally(known);
  }
}

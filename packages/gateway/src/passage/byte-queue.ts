import type { Socket } from "node:net";
import { GatehouseError, isGatehouseError } from "@gatehouse/kernel";

/** What a paused socket has sent so far, for the few messages before data flows. The caller limits time and size. */
export class ByteQueue {
  readonly #socket: Socket;
  readonly #op: string;
  #held = Buffer.alloc(0);

  constructor(socket: Socket, op: string) {
    this.#socket = socket;
    this.#op = op;
  }
  get bytes(): number {
    return this.#held.length;
  }
  all(): Uint8Array {
    return this.#held;
  }
  /** Takes the first bytes of what is held away. */
  take(bytes: number): Uint8Array {
    const taken = this.#held.subarray(0, bytes);
    this.#held = this.#held.subarray(bytes);
    return taken;
  }
  /** All that is held once it is so much. Rejects when the socket closes before. */
  async atLeast(bytes: number): Promise<Uint8Array> {
    while (this.#held.length < bytes) this.#held = Buffer.concat([this.#held, await this.#chunk()]);
    return this.#held;
  }
  #chunk(): Promise<Buffer> {
    const socket = this.#socket;
    return new Promise((resolve, reject) => {
      const done = () => {
        socket.off("data", data).off("close", gone);
        socket.pause();
      };
      const data = (chunk: Buffer) => (done(), resolve(chunk));
      const gone = () => {
        done();
        const { errored } = socket;
        if (isGatehouseError(errored)) reject(errored);
        else
          reject(new GatehouseError({ code: "unavailable", op: this.#op, message: "the other side left" }));
      };
      if (socket.destroyed) return gone();
      socket.on("data", data).on("close", gone);
      socket.resume();
    });
  }
}

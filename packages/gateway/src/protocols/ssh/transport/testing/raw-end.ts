import type { Socket } from "node:net";
import { systemRandom } from "@gatehouse/kernel";
import { IdentificationReader } from "../identification.ts";
import { KeyExchange, type KeyExchangeHost } from "../key-exchange.ts";
import { Outbox } from "../outbox.ts";
import { Padding, PlainSealer, type Sealer } from "../packet-cipher.ts";
import { PacketReader } from "../packet-reader.ts";
import { hostKey } from "./ends.ts";

/**
 * A peer that takes part in key exchanges as it should and in everything else does as a test says: it shows every
 * payload that comes, and sends any payload at any time, properly sealed.
 */
export class RawEnd implements KeyExchangeHost {
  readonly payloads: Buffer[] = [];
  readonly keyExchange: KeyExchange;
  readonly #socket: Socket;
  readonly #outbox: Outbox;
  readonly #reader: PacketReader;
  readonly #identificationReader: IdentificationReader;
  #sealer: Sealer = new PlainSealer(new Padding(systemRandom));
  #sequence = 0;
  #theirName: string | undefined;
  #waiting: { found: (payload: Buffer) => boolean; resolve: (payload: Buffer) => void }[] = [];
  #ended = false;
  #onEnd: (() => void)[] = [];
  /** Sees each payload first; true keeps it from the key exchange. */
  intercept: ((payload: Buffer) => boolean) | undefined;

  constructor(role: "client" | "server", socket: Socket) {
    this.#socket = socket;
    this.#outbox = new Outbox(socket);
    this.#identificationReader = new IdentificationReader(role === "client" ? "server" : "client");
    this.#reader = new PacketReader((payload) => this.#received(Buffer.from(payload)));
    const common = { socket, events: { packet() {}, closed() {} } };
    this.keyExchange = new KeyExchange({
      options:
        role === "client"
          ? { ...common, role, hostKeyAlgorithms: hostKey.algorithms, verifyHostKey() {} }
          : { ...common, role, hostKeys: [hostKey] },
      host: this,
      padding: new Padding(systemRandom),
      random: systemRandom,
      identification: { ours: "SSH-2.0-Raw", theirs: () => this.#theirName as string },
    });
    socket.on("data", (chunk: Buffer) => this.#arrived(chunk));
    for (const event of ["end", "close", "error"])
      socket.on(event, () => {
        this.#ended = true;
        for (const resolve of this.#onEnd) resolve();
      });
    this.#outbox.append(Buffer.from("SSH-2.0-Raw\r\n"));
  }

  /** The first payload that fits, of those that came or will. */
  payload(found: (payload: Buffer) => boolean): Promise<Buffer> {
    const there = this.payloads.find(found);
    if (there) return Promise.resolve(there);
    return new Promise((resolve) => this.#waiting.push({ found, resolve }));
  }
  message(number: number): Promise<Buffer> {
    return this.payload((payload) => payload[0] === number);
  }
  /** The peer closed. */
  ended(): Promise<void> {
    return this.#ended ? Promise.resolve() : new Promise((resolve) => this.#onEnd.push(resolve));
  }

  #arrived(chunk: Buffer): void {
    if (this.#theirName !== undefined) return this.#reader.push(chunk);
    const found = this.#identificationReader.push(chunk);
    if (found === undefined) return;
    this.#theirName = found.line;
    this.#reader.push(found.rest);
  }
  #received(payload: Buffer): void {
    this.payloads.push(payload);
    const number = payload[0] as number;
    if (!this.intercept?.(payload) && number >= 20 && number < 50) this.keyExchange.receive(payload);
    this.#waiting = this.#waiting.filter((wait) => {
      if (!wait.found(payload)) return true;
      wait.resolve(payload);
      return false;
    });
  }

  sendNow(payload: Uint8Array): void {
    this.#sealer.seal(this.#sequence++, payload, new Uint8Array(0), this.#outbox);
  }
  /** Bytes that are no packet. */
  sendRaw(bytes: Uint8Array): void {
    this.#outbox.append(bytes);
  }
  useSealer(sealer: Sealer, resetSequence: boolean): void {
    this.#sealer = sealer;
    if (resetSequence) this.#sequence = 0;
  }
  useOpener(...[opener, resetSequence]: Parameters<PacketReader["use"]>): void {
    this.#reader.use(opener, resetSequence);
  }
  outgoingOpen(): void {}
  finished(): void {}
  hold(): void {}
  release(): void {}
  fail(error: unknown): void {
    throw error;
  }
  destroy(): void {
    this.#socket.destroy();
  }
}

import type { Socket } from "node:net";
import {
  type Clock,
  GatehouseError,
  type Timer,
  assert,
  messageOf,
  systemClock,
  systemRandom,
} from "@gatehouse/kernel";
import type { Negotiated, OpenTransport, Transport, TransportEvents, TransportOptions } from "./door.ts";
import { IdentificationReader } from "./identification.ts";
import { KeyExchange, type KeyExchangeHost } from "./key-exchange.ts";
import {
  broken,
  connectionLost,
  decodeDisconnect,
  decodeExtInfo,
  disconnectReason,
  encodeDisconnect,
  encodePong,
  encodeUnimplemented,
  messageNumber,
} from "./messages.ts";
import { Outbox } from "./outbox.ts";
import { Padding } from "./packet-cipher.ts";
import { PacketReader } from "./packet-reader.ts";
import { PacketWriter, noBytes } from "./packet-writer.ts";

const handshakeTimeoutMs = 20_000;
/** A later exchange may meet a slow network, but holds back all we send. */
const rekeyTimeoutMs = 120_000;
const rekeyBytes = 1024 ** 3;
const rekeyIntervalMs = 3_600_000;
/** RFC 4344 §3.1: well before a sequence number comes round. */
const rekeyPackets = 2 ** 31;
/** How long a server waits for a client's KEXINIT before it shows its own list, untailored. */
const patienceMs = 500;
/** After the end a peer has this long to take what is still queued. */
const lingerMs = 5_000;
/** A key exchange needs five; whoever sends more before its end is not at one. */
const handshakePacketsMax = 64;

/** Far above the mark at which producers stop. */
const answersBacklogBytesMax = 8 * 1024 * 1024;

/** `leaving`: the caller disconnected, and what it sent before still waits for the end of a key exchange. */
type State = "identifying" | "opening" | "open" | "leaving" | "ending" | "closed";
type Hold = "caller" | "hostKey" | "opening";

export const openTransport: OpenTransport = (options) =>
  new Promise((resolve, reject) => {
    new SshTransport(options, resolve, reject).start();
  });

class SshTransport implements Transport, KeyExchangeHost {
  readonly #options: TransportOptions;
  readonly #socket: Socket;
  readonly #events: TransportEvents;
  readonly #clock: Clock;
  readonly #resolve: (transport: Transport) => void;
  readonly #reject: (error: Error) => void;
  readonly #identification: string;
  readonly #identificationReader: IdentificationReader;
  readonly #reader: PacketReader;
  readonly #writer: PacketWriter;
  readonly #outbox: Outbox;
  readonly #keyExchange: KeyExchange;
  readonly #rekeyBytes: number;
  #state: State = "identifying";
  /** Since the last key exchange. */
  #bytesIn = 0;
  #packetsIn = 0;
  #handshakePackets = 0;
  readonly #holds = new Set<Hold>();
  /** The limit of the handshake or rekey under way, or the wait until the next rekey. */
  #timer: Timer | undefined;
  #patience: Timer | undefined;
  #linger: Timer | undefined;
  /** The caller knows that it is over. */
  #told = false;
  peerIdentification = "";
  peerSignatureAlgorithms: readonly string[] | undefined;

  constructor(
    options: TransportOptions,
    resolve: (transport: Transport) => void,
    reject: (error: Error) => void,
  ) {
    this.#options = options;
    this.#socket = options.socket;
    this.#events = options.events;
    this.#clock = options.clock ?? systemClock;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#identification = options.identification ?? "SSH-2.0-Gatehouse";
    this.#identificationReader = new IdentificationReader(options.role === "server" ? "client" : "server");
    this.#rekeyBytes = options.rekeyBytes ?? rekeyBytes;
    const random = options.random ?? systemRandom;
    const padding = new Padding(random);
    this.#outbox = new Outbox(options.socket);
    this.#writer = new PacketWriter(this.#outbox, padding);
    this.#reader = new PacketReader((payload) => this.#receive(payload));
    this.#keyExchange = new KeyExchange({
      options,
      host: this,
      padding,
      random,
      identification: { ours: this.#identification, theirs: () => this.peerIdentification },
    });
  }

  start(): void {
    const socket = this.#socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#arrived(chunk));
    socket.on("end", () => this.#ended());
    socket.on("error", (error) => this.fail(connectionLost(error)));
    socket.on("close", () => {
      if (this.#state !== "closed") this.#stop("closed");
      this.#closed(undefined);
    });
    const limitMs = this.#options.handshakeTimeoutMs ?? handshakeTimeoutMs;
    this.#timer = this.#clock.after(limitMs, () => this.#timedOut("the SSH handshake", limitMs));
    if (socket.destroyed) return this.fail(connectionLost(new Error("the socket is closed")));
    this.#outbox.append(Buffer.from(`${this.#identification}\r\n`, "latin1"));
    if (this.#options.role === "client") this.#keyExchange.start();
  }

  // What the caller asks for.

  get sessionId(): Uint8Array {
    return this.#keyExchange.sessionId ?? noBytes;
  }
  get negotiated(): Negotiated {
    const negotiated = this.#keyExchange.negotiated;
    assert(negotiated !== undefined, "a transport is handed out after its first key exchange");
    return negotiated;
  }
  get backlogBytes(): number {
    return this.#outbox.backlogBytes;
  }
  get congested(): boolean {
    return this.#outbox.congested;
  }
  drained(): Promise<void> {
    return this.#outbox.drained();
  }
  send(payload: Uint8Array): void {
    this.sendParts(payload, noBytes);
  }
  sendParts(head: Uint8Array, body: Uint8Array): void {
    if (this.#state !== "open") return;
    if (this.#keyExchange.outgoingHeld) return this.#writer.wait(head, body);
    this.#writer.seal(head, body);
    this.#rekeyWhenDue();
  }
  pause(): void {
    this.#hold("caller");
  }
  resume(): void {
    this.#release("caller");
  }
  disconnect(reason: number, message: string): void {
    if (this.#state !== "open") return;
    if (this.#keyExchange.outgoingHeld) {
      this.#writer.wait(encodeDisconnect(reason, message), noBytes);
      this.#state = "leaving";
      this.#linger = this.#clock.after(lingerMs, () => this.destroy());
      return;
    }
    this.#writer.seal(encodeDisconnect(reason, message), noBytes);
    this.#end();
  }
  destroy(): void {
    if (this.#state === "closed") return;
    this.#stop("closed");
    this.#socket.destroy();
  }

  // What the key exchange asks for.

  sendNow(payload: Uint8Array): void {
    if (this.#state !== "ending" && this.#state !== "closed") this.#writer.seal(payload, noBytes);
  }
  useSealer(...[sealer, resetSequence]: Parameters<PacketWriter["use"]>): void {
    this.#writer.use(sealer, resetSequence);
  }
  useOpener(...[opener, resetSequence]: Parameters<PacketReader["use"]>): void {
    this.#reader.use(opener, resetSequence);
  }
  outgoingOpen(): void {
    this.#writer.sealWaiting();
    if (this.#state === "leaving") this.#end();
  }
  hold(): void {
    this.#hold("hostKey");
  }
  release(): void {
    this.#release("hostKey");
  }
  finished(): void {
    this.#bytesIn = 0;
    this.#packetsIn = 0;
    this.#writer.restart();
    this.#timer?.cancel();
    this.#timer = this.#clock.after(this.#options.rekeyIntervalMs ?? rekeyIntervalMs, () => this.#rekey());
    if (this.#state !== "opening") return;
    this.#state = "open";
    // What follows in this chunk must not be delivered before whoever awaits the transport has it.
    this.#hold("opening");
    this.#resolve(this);
    setImmediate(() => this.#release("opening"));
  }

  // What arrives.

  #guarded(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.fail(error);
    }
  }

  #arrived(chunk: Buffer): void {
    try {
      switch (this.#state) {
        case "identifying": {
          const found = this.#identificationReader.push(chunk);
          if (found !== undefined) this.#identified(found.line, found.rest);
          return;
        }
        case "opening":
        case "open":
        case "leaving":
          this.#bytesIn += chunk.length;
          return this.#reader.push(chunk);
        case "ending":
        case "closed":
          return;
      }
    } catch (error) {
      this.fail(error);
    }
  }

  #identified(line: string, rest: Buffer): void {
    this.peerIdentification = line;
    this.#state = "opening";
    // A client usually sends its KEXINIT at once, and a tailored answer is worth the wait (`tailorCiphers`). One that
    // waits for ours in turn gets it after a moment.
    if (this.#options.role === "server")
      this.#patience = this.#clock.after(patienceMs, () => this.#guarded(() => this.#keyExchange.start()));
    if (rest.length > 0) this.#arrived(rest);
  }

  #receive(payload: Buffer): void {
    const keyExchange = this.#keyExchange;
    const number = payload[0] as number;
    if (number >= 50 && number < 128 && keyExchange.established && !keyExchange.incomingHeld)
      return this.#deliver(payload);
    if (!keyExchange.established) this.#checkHandshakePacket(number);
    if (number >= messageNumber.kexInit && number < 50) {
      this.#patience?.cancel();
      return this.#receiveKeyExchange(payload);
    }
    switch (number) {
      case messageNumber.disconnect:
        return this.#receiveDisconnect(payload);
      case messageNumber.ignore:
      case messageNumber.unimplemented:
      case messageNumber.debug:
      case messageNumber.pong:
        return;
      default:
    }
    // RFC 4253 §7.1: all else must wait until the keys are there.
    if (!keyExchange.established || keyExchange.incomingHeld)
      throw broken(`message ${number} during the key exchange`);
    switch (number) {
      case messageNumber.serviceRequest:
      case messageNumber.serviceAccept:
        return this.#deliver(payload);
      case messageNumber.extInfo: {
        const { signatureAlgorithms } = decodeExtInfo(payload);
        if (signatureAlgorithms !== undefined) this.peerSignatureAlgorithms = signatureAlgorithms;
        return;
      }
      case messageNumber.ping:
        this.#checkBacklog();
        return this.send(encodePong(payload));
      default:
        this.#checkBacklog();
        // RFC 4253 §11.4.
        return this.send(encodeUnimplemented(this.#reader.sequence));
    }
  }

  #deliver(payload: Buffer): void {
    if (this.#state === "open") this.#events.packet(payload);
    this.#packetsIn++;
    this.#rekeyWhenDue();
  }

  #receiveKeyExchange(payload: Buffer): void {
    this.#checkBacklog();
    const keyExchange = this.#keyExchange;
    const wasActive = keyExchange.active;
    keyExchange.receive(payload);
    if (!wasActive) this.#limitRekey();
    // OpenSSH PROTOCOL, "strict key exchange": only now is it known that it had to be the first packet.
    const first = !keyExchange.established && payload[0] === messageNumber.kexInit;
    if (first && keyExchange.strict && this.#reader.sequence !== 0) throw broken("a packet before KEXINIT");
  }

  /** OpenSSH PROTOCOL, "strict key exchange": in the first one there is no room for anything but the exchange. */
  #checkHandshakePacket(number: number): void {
    const keyExchange = this.#keyExchange;
    if (++this.#handshakePackets > handshakePacketsMax)
      throw broken("too many packets before the first keys");
    if (number === messageNumber.disconnect || !keyExchange.strict) return;
    if (number < messageNumber.kexInit || number >= 50)
      throw broken(`message ${number} during the strict key exchange`);
  }

  /** Before an answer that the peer alone caused: one that asks and never reads must not fill the memory. */
  #checkBacklog(): void {
    if (this.#outbox.backlogBytes > answersBacklogBytesMax) throw broken("the answers are not read");
  }

  #receiveDisconnect(payload: Buffer): void {
    const { reason, description } = decodeDisconnect(payload);
    const error =
      reason === disconnectReason.byApplication
        ? undefined
        : new GatehouseError({
            code: "protocol",
            op: "ssh.transport",
            message: `the far side disconnected: ${description === "" ? `reason ${reason}` : description}`,
            details: { reason, byPeer: true },
          });
    this.#end();
    this.#closed(error);
  }

  #ended(): void {
    if (this.#state !== "identifying" && this.#state !== "opening" && this.#state !== "open")
      return void this.#socket.destroy();
    // Many clients close the connection without SSH_MSG_DISCONNECT; within a packet it is something else.
    if (this.#state === "open" && !this.#reader.unfinished) {
      this.#end();
      this.#closed(undefined);
    } else this.fail(connectionLost(new Error("the connection ended early")));
  }

  // Reading stops while anybody holds it.

  #hold(by: Hold): void {
    if (this.#state === "ending" || this.#state === "closed") return;
    this.#holds.add(by);
    this.#reader.stopped = true;
    this.#socket.pause();
  }
  #release(by: Hold): void {
    if (!this.#holds.delete(by) || this.#holds.size > 0) return;
    setImmediate(() => this.#proceed());
  }
  #proceed(): void {
    if (this.#holds.size > 0 || this.#state === "ending" || this.#state === "closed") return;
    this.#reader.stopped = false;
    this.#guarded(() => this.#reader.proceed());
    if (this.#holds.size === 0) this.#socket.resume();
  }

  // New keys in good time.

  #rekeyWhenDue(): void {
    if (
      this.#bytesIn > this.#rekeyBytes ||
      this.#writer.bytes > this.#rekeyBytes ||
      this.#packetsIn + this.#writer.packets > rekeyPackets
    )
      this.#rekey();
  }

  #rekey(): void {
    if (this.#state !== "open" || this.#keyExchange.active) return;
    this.#keyExchange.start();
    this.#limitRekey();
  }

  #limitRekey(): void {
    if (!this.#keyExchange.established || !this.#keyExchange.active) return;
    this.#timer?.cancel();
    this.#timer = this.#clock.after(rekeyTimeoutMs, () => {
      // While the caller does not want to read, the peer's part of the exchange may be here already.
      if (this.#holds.has("caller")) this.#limitRekey();
      else this.#timedOut("a key exchange", rekeyTimeoutMs);
    });
  }

  // The end.

  #timedOut(what: string, limitMs: number): void {
    this.fail(
      new GatehouseError({
        code: "timeout",
        op: "ssh.transport",
        message: `${what} took longer than ${limitMs} ms`,
        details: { reason: disconnectReason.connectionLost },
      }),
    );
  }

  /** Tells the peer why, when there is a way to, and closes. */
  fail(thrown: unknown, reason?: number): void {
    if (this.#state === "ending" || this.#state === "closed") return;
    const error =
      thrown instanceof GatehouseError
        ? thrown
        : new GatehouseError({
            code: "internal",
            op: "ssh.transport",
            message: messageOf(thrown),
            cause: thrown,
          });
    // Nobody who does not speak SSH yet would understand, and nobody who is gone.
    if (this.#state === "identifying" || error.code === "unavailable") {
      this.#stop("closed");
      this.#socket.destroy();
    } else {
      const given = reason ?? error.details["reason"];
      const told = typeof given === "number" ? given : disconnectReason.protocolError;
      const message = error.code === "internal" ? "internal error" : error.message;
      this.#writer.seal(encodeDisconnect(told, message), noBytes);
      this.#end();
    }
    this.#closed(error);
  }

  /** No more is read or sent; what is queued gets a moment to leave. */
  #end(): void {
    this.#stop("ending");
    this.#outbox.flush();
    this.#socket.end();
    // Data that nobody reads would make the kernel reset the connection, and the DISCONNECT be lost with it.
    this.#socket.resume();
    this.#linger = this.#clock.after(lingerMs, () => this.destroy());
  }

  #stop(state: "ending" | "closed"): void {
    this.#state = state;
    this.#timer?.cancel();
    this.#patience?.cancel();
    this.#linger?.cancel();
    this.#reader.drop();
    this.#writer.dropWaiting();
  }

  /** Tells the caller, once. After a failure the socket may live on a little, for what is queued. */
  #closed(error: Error | undefined): void {
    if (this.#told) return;
    this.#told = true;
    this.#outbox.close();
    if (!this.#keyExchange.established) {
      this.#reject(error ?? connectionLost(new Error("the connection ended early")));
      return;
    }
    try {
      this.#events.closed(error);
    } catch {
      // A callback that throws against its contract must not reach the socket's, where it would end the process.
    }
  }
}

import { type Clock, GatehouseError, type Timer, assert, isGatehouseError } from "@gatehouse/kernel";
import type { Transport } from "../transport/door.ts";
import { OpenChannel, type ChannelHost, type ChannelLimits, type ChannelPeer } from "./channel.ts";
import {
  type Channel,
  type ChannelOpening,
  type ConnectionEvents,
  type ConnectionLimits,
  type GlobalRequest,
  type SshConnection,
  openReason,
} from "./door.ts";
import { openFailed } from "./errors.ts";
import {
  decodeChannelOpen,
  decodeChannelRequest,
  decodeData,
  decodeGlobalRequest,
  decodeOpenConfirmation,
  decodeOpenFailure,
  decodeRecipient,
  decodeWindowAdjust,
  disconnectReason,
  encodeChannelOpen,
  encodeGlobalReply,
  encodeGlobalRequest,
  encodeOpenConfirmation,
  encodeOpenFailure,
  messageNumber,
  protocolError,
} from "./messages.ts";
import { ReplyOrder } from "./reply-order.ts";

/** Larger packets and windows brought nothing measurable over loopback; these are what OpenSSH uses itself. */
const defaults = {
  windowBytes: 2 * 1024 * 1024,
  packetBytesMax: 32 * 1024,
  queueBytesMax: 4 * 1024 * 1024,
  channelsMax: 1000,
  requestsMax: 128,
  keepaliveIntervalMs: 0,
  keepaliveCountMax: 3,
};
/** A peer that makes us answer and never reads: its answers pile up here, and then it is cut off. */
const backlogBytesMax = 8 * 1024 * 1024;

export type ConnectionOptions = {
  role: "server" | "client";
  transport: Transport;
  limits?: ConnectionLimits;
  clock: Clock;
};

type OpenWaiting = { type: string; resolve(channel: Channel): void; reject(error: Error): void };
type GlobalWaiting = {
  resolve(reply: { ok: boolean; payload: Uint8Array }): void;
  reject(error: Error): void;
};

/** The connection protocol (RFC 4254) over an authenticated transport; both roles. */
export class Connection implements SshConnection, ChannelHost {
  readonly transport: Transport;
  readonly limits: ChannelLimits;
  readonly #limits: Required<ConnectionLimits>;
  readonly #role: "server" | "client";
  readonly #clock: Clock;
  #events: ConnectionEvents | undefined;
  #earlyOpenings: ChannelOpening[] = [];
  #earlyRequests: GlobalRequest[] = [];
  readonly #channels = new Map<number, OpenChannel>();
  /** Opens of ours that the peer has not answered, by the number they will have. */
  readonly #opening = new Map<number, OpenWaiting>();
  /** Opens of the peer's that we have not answered. */
  #askedCount = 0;
  #nextId = 0;
  readonly #replies: ReplyOrder;
  #globalWaiting: GlobalWaiting[] = [];
  /** Channels with something to send, in the order of their turns. */
  #blocked = new Set<OpenChannel>();
  #draining = false;
  #sessionsEnded = false;
  #ended: { error: Error | undefined } | undefined;
  #keepalive: Timer | undefined;
  #keepalivesUnanswered = 0;
  #heard = false;

  constructor({ role, transport, limits = {}, clock }: ConnectionOptions) {
    this.#role = role;
    this.transport = transport;
    this.#limits = { ...defaults, ...limits };
    this.limits = this.#limits;
    this.#clock = clock;
    this.#replies = new ReplyOrder(this.#limits.requestsMax);
    this.#scheduleKeepalive();
  }

  // The consumer's side.

  get channelCount(): number {
    return this.#channels.size;
  }
  get closed(): boolean {
    return this.#ended !== undefined;
  }

  attach(events: ConnectionEvents): void {
    assert(this.#events === undefined, "a connection is attached once");
    this.#events = events;
    const [openings, requests] = [this.#earlyOpenings, this.#earlyRequests];
    this.#earlyOpenings = [];
    this.#earlyRequests = [];
    for (const opening of openings) events.channel(opening);
    for (const request of requests) events.globalRequest(request);
    if (this.#ended) events.closed(this.#ended.error);
  }

  openChannel(type: string, payload: Uint8Array): Promise<Channel> {
    if (this.#ended) return Promise.reject(this.#ended.error ?? connectionClosed());
    if (this.#channelTotal() >= this.#limits.channelsMax)
      return Promise.reject(
        openFailed(openReason.resourceShortage, `${this.#limits.channelsMax} channels are open already`),
      );
    const id = this.#takeId();
    this.transport.send(encodeChannelOpen({ type, sender: id, payload, ...this.#ourWindow() }));
    return new Promise((resolve, reject) => this.#opening.set(id, { type, resolve, reject }));
  }

  globalRequest(type: string, payload: Uint8Array): Promise<{ ok: boolean; payload: Uint8Array }> {
    if (this.#ended) return Promise.reject(this.#ended.error ?? connectionClosed());
    if (this.#globalWaiting.length >= this.#limits.requestsMax)
      return Promise.reject(
        new GatehouseError({
          code: "too_large",
          op: "ssh.connection.request",
          message: "too many global requests wait for their answer",
        }),
      );
    this.transport.send(encodeGlobalRequest({ type, wantReply: true, payload }));
    return new Promise((resolve, reject) => this.#globalWaiting.push({ resolve, reject }));
  }

  disconnect(message: string): void {
    if (this.#ended) return;
    this.transport.disconnect(disconnectReason.byApplication, message);
    this.#end(undefined);
  }

  abort(error: Error): void {
    if (this.#ended) return;
    if (isGatehouseError(error, "protocol"))
      this.transport.disconnect(disconnectReason.protocolError, error.message);
    // The reason is for our own log: the peer is not told what went wrong inside.
    else this.transport.disconnect(disconnectReason.byApplication, "the connection was ended");
    this.#end(error);
  }

  // The channels' side.

  waitForTransport(channel: OpenChannel): void {
    this.#blocked.add(channel);
    if (this.#draining) return;
    this.#draining = true;
    // One promise for all channels each time the socket fills, never one for a packet.
    void this.transport.drained().then(() => {
      this.#draining = false;
      this.#resumeBlocked();
    });
  }
  #resumeBlocked(): void {
    if (this.#ended) return;
    const turn = [...this.#blocked];
    this.#blocked.clear();
    let served = 0;
    this.#guard(() => {
      while (served < turn.length && !this.transport.congested) turn[served++]?.resume();
    });
    if (served === turn.length || this.closed) return;
    // Who had no turn now comes before who had one and filled the socket again.
    const again = [...this.#blocked];
    this.#blocked = new Set(turn.slice(served).concat(again));
    const first = turn[served];
    if (first) this.waitForTransport(first);
  }

  ended(channel: OpenChannel): void {
    this.#channels.delete(channel.id);
    this.#blocked.delete(channel);
  }

  // The transport's side.

  /** One packet of the peer. Never throws: a peer that breaks the protocol is disconnected. */
  packet(payload: Uint8Array): void {
    if (this.#ended) return;
    this.#heard = true;
    this.#guard(() => this.#receive(payload));
  }
  #guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.abort(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** The transport is gone. */
  transportClosed(error: Error | undefined): void {
    this.#end(error);
  }

  #receive(payload: Uint8Array): void {
    const number = payload[0];
    switch (number) {
      case messageNumber.channelData:
      case messageNumber.channelExtendedData: {
        const { recipient, stream, data } = decodeData(payload);
        this.#channel(recipient).receivedData(data, stream);
        return;
      }
      case messageNumber.channelWindowAdjust: {
        const { recipient, bytes } = decodeWindowAdjust(payload);
        this.#channel(recipient).receivedWindowAdjust(bytes);
        return;
      }
      case messageNumber.channelEof:
        return this.#channel(decodeRecipient(payload)).receivedEof();
      case messageNumber.channelClose:
        return this.#channel(decodeRecipient(payload)).receivedClose();
      case messageNumber.channelRequest: {
        const request = decodeChannelRequest(payload);
        this.#checkBacklog();
        return this.#channel(request.recipient).receivedRequest(request);
      }
      case messageNumber.channelSuccess:
      case messageNumber.channelFailure:
        return this.#channel(decodeRecipient(payload)).receivedReply(number === messageNumber.channelSuccess);
      case messageNumber.channelOpen:
        this.#checkBacklog();
        return this.#receiveOpen(payload);
      case messageNumber.channelOpenConfirmation: {
        const {
          recipient,
          sender,
          windowBytes,
          packetBytesMax,
          payload: data,
        } = decodeOpenConfirmation(payload);
        const waiting = this.#awaitedOpening(recipient);
        const peer = { id: sender, windowBytes, packetBytesMax };
        // Where this throws, the end of the connection is also the answer to whoever waits for the channel.
        const channel = this.#addChannel(recipient, waiting.type, peer, Uint8Array.from(data));
        this.#opening.delete(recipient);
        return waiting.resolve(channel);
      }
      case messageNumber.channelOpenFailure: {
        const { recipient, reason, description } = decodeOpenFailure(payload);
        const { reject } = this.#awaitedOpening(recipient);
        this.#opening.delete(recipient);
        return reject(openFailed(reason, description));
      }
      case messageNumber.globalRequest:
        this.#checkBacklog();
        return this.#receiveGlobalRequest(payload);
      case messageNumber.requestSuccess:
      case messageNumber.requestFailure: {
        const waiting = this.#globalWaiting.shift();
        if (!waiting) throw protocolError("an answer to no global request");
        waiting.resolve({ ok: number === messageNumber.requestSuccess, payload: payload.slice(1) });
        return;
      }
      case messageNumber.userauthRequest:
        // RFC 4252 §5.3: requests after the success are ignored in silence.
        if (this.#role === "server") return;
        throw protocolError("an authentication request from a server");
      default:
        throw protocolError(`message number ${number ?? "none"} has no place after authentication`);
    }
  }

  #channel(id: number): OpenChannel {
    const channel = this.#channels.get(id);
    if (!channel) throw protocolError(`a message for channel ${id}, which is not open`);
    return channel;
  }
  #awaitedOpening(id: number): OpenWaiting {
    const waiting = this.#opening.get(id);
    if (!waiting) throw protocolError(`an answer for channel ${id}, which was not asked for`);
    return waiting;
  }
  #addChannel(id: number, type: string, peer: ChannelPeer, confirmation: Uint8Array): OpenChannel {
    if (peer.packetBytesMax === 0) throw protocolError("a channel whose packets may hold nothing");
    const channel = new OpenChannel(this, id, type, peer, confirmation);
    this.#channels.set(id, channel);
    return channel;
  }
  #takeId(): number {
    const id = this.#nextId;
    this.#nextId = (this.#nextId + 1) % 0x1_0000_0000;
    return id;
  }
  #channelTotal(): number {
    return this.#channels.size + this.#opening.size + this.#askedCount;
  }
  #ourWindow() {
    return { windowBytes: this.#limits.windowBytes, packetBytesMax: this.#limits.packetBytesMax };
  }
  /** Data waits for windows, but what answers a peer does not: its bound is here. */
  #checkBacklog(): void {
    if (this.transport.backlogBytes > backlogBytesMax)
      throw protocolError("more is asked than is read of the answers");
  }

  #receiveOpen(payload: Uint8Array): void {
    const { type, sender, windowBytes, packetBytesMax, payload: data } = decodeChannelOpen(payload);
    if (packetBytesMax === 0) throw protocolError("a channel whose packets may hold nothing");
    const refuse = (reason: number, description: string) =>
      this.transport.send(encodeOpenFailure({ recipient: sender, reason, description }));
    if (this.#channelTotal() >= this.#limits.channelsMax)
      return refuse(
        openReason.resourceShortage,
        `no more than ${this.#limits.channelsMax} channels at a time`,
      );
    // OpenSSH PROTOCOL §2.2: the client itself asked that nobody else may add a session.
    if (this.#sessionsEnded && type === "session")
      return refuse(openReason.prohibited, "no more sessions on this connection");

    let answered = false;
    this.#askedCount++;
    const answer = () => {
      assert(!answered, "a channel is answered once");
      answered = true;
      this.#askedCount--;
    };
    const opening: ChannelOpening = {
      type,
      payload: Uint8Array.from(data),
      accept: (confirmation = new Uint8Array()) => {
        answer();
        const id = this.#takeId();
        const peer = { id: sender, windowBytes, packetBytesMax };
        if (this.#ended) {
          const dead = new OpenChannel(this, id, type, peer, confirmation);
          dead.end(this.#ended.error);
          return dead;
        }
        this.transport.send(
          encodeOpenConfirmation({
            recipient: sender,
            sender: id,
            payload: confirmation,
            ...this.#ourWindow(),
          }),
        );
        return this.#addChannel(id, type, peer, confirmation);
      },
      refuse: (reason, description) => {
        answer();
        if (!this.#ended) refuse(reason, description);
      },
    };
    if (this.#events) this.#events.channel(opening);
    else this.#earlyOpenings.push(opening);
  }

  #receiveGlobalRequest(payload: Uint8Array): void {
    const { type, wantReply, payload: data } = decodeGlobalRequest(payload);
    const reply = wantReply
      ? this.#replies.expect((ok, answer) => {
          if (!this.#ended) this.transport.send(encodeGlobalReply(ok, answer ?? new Uint8Array()));
        })
      : () => undefined;
    switch (type) {
      case "keepalive@openssh.com":
        return reply(false);
      case "no-more-sessions@openssh.com":
        this.#sessionsEnded = true;
        return reply(true);
      case "hostkeys-00@openssh.com":
      case "hostkeys-prove-00@openssh.com":
        // Host keys are learned from an administrator only.
        return reply(false);
    }
    const request: GlobalRequest = { type, wantReply, payload: Uint8Array.from(data), reply };
    if (this.#events) return this.#events.globalRequest(request);
    if (this.#earlyRequests.length >= this.#limits.requestsMax)
      throw protocolError("too many global requests before the connection is served");
    this.#earlyRequests.push(request);
  }

  // Keepalive, and the end.

  #scheduleKeepalive(): void {
    if (this.#limits.keepaliveIntervalMs <= 0) return;
    this.#keepalive = this.#clock.after(this.#limits.keepaliveIntervalMs, () => this.#tickKeepalive());
  }
  #tickKeepalive(): void {
    if (this.#ended) return;
    if (this.#heard) {
      // Whatever came in the last interval proves as much as an answer.
      this.#heard = false;
      this.#keepalivesUnanswered = 0;
    } else if (this.#keepalivesUnanswered >= this.#limits.keepaliveCountMax) {
      const error = new GatehouseError({
        code: "timeout",
        op: "ssh.connection.keepalive",
        message: `the far side did not answer ${this.#keepalivesUnanswered} keepalives`,
      });
      this.transport.destroy();
      return this.#end(error);
    } else {
      this.#keepalivesUnanswered++;
      this.globalRequest("keepalive@openssh.com", new Uint8Array()).catch(() => undefined);
    }
    this.#scheduleKeepalive();
  }

  #end(error: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = { error };
    this.#keepalive?.cancel();
    this.#blocked.clear();
    const reason = error ?? connectionClosed();
    for (const { reject } of this.#opening.values()) reject(reason);
    for (const { reject } of this.#globalWaiting) reject(reason);
    this.#opening.clear();
    this.#globalWaiting = [];
    const channels = [...this.#channels.values()];
    this.#channels.clear();
    for (const channel of channels) channel.end(error);
    this.#events?.closed(error);
  }
}

function connectionClosed(): GatehouseError {
  return new GatehouseError({
    code: "cancelled",
    op: "ssh.connection",
    message: "the connection closed first",
  });
}

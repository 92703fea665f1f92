import { GatehouseError, assert } from "@gatehouse/kernel";
import type { Transport } from "../transport/door.ts";
import { type Channel, type ChannelEvents, type ChannelRequest, streamData, streamStderr } from "./door.ts";
import {
  type ChannelRequestMessage,
  dataHeadBytesMax,
  encodeChannelRequest,
  encodeDataHead,
  encodeRecipient,
  encodeWindowAdjust,
  messageNumber,
  protocolError,
} from "./messages.ts";
import { ReplyOrder } from "./reply-order.ts";
import { StreamQueue } from "./stream-queue.ts";

/** What a channel needs of the connection it lies in. */
export type ChannelHost = {
  readonly transport: Pick<Transport, "send" | "sendParts" | "congested">;
  readonly limits: ChannelLimits;
  /** The channel wants to send and the transport is congested: call `resume` when it no longer is. */
  waitForTransport(channel: OpenChannel): void;
  /** Both sides closed: the number is free. */
  ended(channel: OpenChannel): void;
};
export type ChannelLimits = {
  readonly windowBytes: number;
  readonly packetBytesMax: number;
  readonly queueBytesMax: number;
  readonly requestsMax: number;
};
/** The peer's side of a channel, as its open or its confirmation said. */
export type ChannelPeer = { id: number; windowBytes: number; packetBytesMax: number };

/** Packets of ours are no longer than this, whatever the peer would take: what OpenSSH itself uses. */
const packetBytesOutMax = 32 * 1024;
const windowMax = 0xffff_ffff;

type Waiting = { resolve(ok: boolean): void; reject(error: Error): void };

/**
 * One channel that both sides agreed on (RFC 4254 §5). `received*` are called by the connection with what the peer
 * sent, and throw `protocol` for what a peer may not do; the rest is the door's `Channel`.
 */
export class OpenChannel implements Channel {
  readonly id: number;
  readonly type: string;
  readonly confirmation: Uint8Array;
  bytesIn = 0;
  bytesOut = 0;

  readonly #host: ChannelHost;
  readonly #peer: ChannelPeer;
  #events: ChannelEvents | undefined;
  /** Bytes the peer may still send before we allow more. */
  #receiveWindow: number;
  /** Given to the consumer, who has not passed them on yet. */
  #unconsumed = 0;
  /** Passed on, and not yet allowed to the peer again. */
  #unadvertised = 0;
  #sendWindow: number;
  readonly #packetOutMax: number;
  readonly #head = new Uint8Array(dataHeadBytesMax);
  readonly #out = new StreamQueue();
  /** What came before `attach`. */
  readonly #early = new StreamQueue();
  #earlyRequests: ChannelRequest[] = [];
  readonly #replies: ReplyOrder;
  #waiting: Waiting[] = [];
  #drained: (() => void)[] = [];
  #drainWanted = false;
  #eofReceived = false;
  #eofGiven = false;
  #eofWanted = false;
  #eofSent = false;
  /** The consumer closed: it wants no more of what the peer sends. */
  #left = false;
  #closeWanted = false;
  #closeSent = false;
  #closeReceived = false;
  #ended: { error: Error | undefined } | undefined;

  constructor(host: ChannelHost, id: number, type: string, peer: ChannelPeer, confirmation: Uint8Array) {
    this.#host = host;
    this.id = id;
    this.type = type;
    this.confirmation = confirmation;
    this.#peer = peer;
    this.#receiveWindow = host.limits.windowBytes;
    this.#sendWindow = peer.windowBytes;
    this.#packetOutMax = Math.min(peer.packetBytesMax, packetBytesOutMax);
    this.#replies = new ReplyOrder(host.limits.requestsMax);
  }

  // The consumer's side.

  attach(events: ChannelEvents): void {
    assert(this.#events === undefined, "a channel is attached once");
    this.#events = events;
    const requests = this.#earlyRequests;
    this.#earlyRequests = [];
    for (const request of requests) events.request(request);
    while (this.#early.length > 0)
      this.#early.take(this.#host.limits.packetBytesMax, (view, stream) => events.data(view, stream));
    this.#giveEof();
    if (this.#ended) events.closed(this.#ended.error);
  }

  consumed(bytes: number): void {
    assert(bytes >= 0 && bytes <= this.#unconsumed, "no more is consumed than was given");
    this.#unconsumed -= bytes;
    this.#unadvertised += bytes;
    // Half a window at a time: small enough that a fast peer never waits, large enough that adjusts are rare.
    if (this.#unadvertised * 2 < this.#host.limits.windowBytes) return;
    if (this.#eofReceived || this.#closeSent || this.#ended) return;
    this.#receiveWindow += this.#unadvertised;
    this.#host.transport.send(encodeWindowAdjust(this.#peer.id, this.#unadvertised));
    this.#unadvertised = 0;
  }

  write(view: Uint8Array, stream = streamData): boolean {
    assert(!this.#eofWanted, "no data follows EOF");
    if (this.#closeWanted || this.#ended) return false;
    const sent = this.#out.length === 0 ? this.#sendNow(view, stream) : 0;
    if (sent < view.length) {
      const rest = sent === 0 ? view : view.subarray(sent);
      if (this.#out.length + rest.length > this.#host.limits.queueBytesMax)
        throw new GatehouseError({
          code: "too_large",
          op: "ssh.channel.write",
          message: `more than ${this.#host.limits.queueBytesMax} bytes wait to be sent on a channel`,
        });
      this.#out.push(rest, stream);
    }
    if (this.writable) return true;
    this.#drainWanted = true;
    if (this.#host.transport.congested) this.#host.waitForTransport(this);
    return false;
  }

  get writable(): boolean {
    return this.#out.length === 0 && !this.#closeWanted && !this.#ended && !this.#host.transport.congested;
  }
  get queuedBytes(): number {
    return this.#out.length;
  }

  drained(): Promise<void> {
    if (this.writable || this.#closeWanted || this.#ended) return Promise.resolve();
    if (this.#host.transport.congested) this.#host.waitForTransport(this);
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  eof(): void {
    if (this.#eofWanted || this.#closeWanted || this.#ended) return;
    this.#eofWanted = true;
    this.#finishSending();
  }
  close(): void {
    if (this.#closeWanted || this.#ended) return;
    this.#left = true;
    this.#closeWanted = true;
    this.#early.clear();
    this.#finishSending();
    this.#giveDrained();
  }
  abort(): void {
    this.#out.clear();
    this.close();
  }

  request(type: string, payload: Uint8Array): Promise<boolean> {
    if (this.#closeSent || this.#ended) return Promise.reject(channelClosed());
    if (this.#waiting.length >= this.#host.limits.requestsMax)
      return Promise.reject(
        new GatehouseError({
          code: "too_large",
          op: "ssh.channel.request",
          message: "too many requests of a channel wait for their answer",
        }),
      );
    this.#sendRequest(type, true, payload);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }
  notify(type: string, payload: Uint8Array): void {
    if (!this.#closeSent && !this.#ended) this.#sendRequest(type, false, payload);
  }
  #sendRequest(type: string, wantReply: boolean, payload: Uint8Array): void {
    this.#host.transport.send(encodeChannelRequest({ recipient: this.#peer.id, type, wantReply, payload }));
  }

  // The peer's side.

  receivedData(view: Uint8Array, stream: number): void {
    if (this.#eofReceived || this.#closeReceived) throw protocolError("data after the end of a channel");
    if (view.length > this.#host.limits.packetBytesMax)
      throw protocolError(
        `a data packet of ${view.length} bytes, ${this.#host.limits.packetBytesMax} were allowed`,
      );
    // RFC 4254 §5.2 lets us ignore what exceeds the window; a peer that does so is broken, and its data would be lost.
    if (view.length > this.#receiveWindow)
      throw protocolError(`${view.length} bytes sent into a window of ${this.#receiveWindow}`);
    this.#receiveWindow -= view.length;
    // It may not have seen our CLOSE yet.
    if (this.#left || view.length === 0) return;
    this.bytesIn += view.length;
    this.#unconsumed += view.length;
    if (stream !== streamData && stream !== streamStderr) {
      // RFC 4254 §5.2 knows stderr alone; like OpenSSH, drop what nobody could name.
      this.consumed(view.length);
    } else if (this.#events) this.#events.data(view, stream);
    else this.#early.push(view, stream);
  }

  receivedWindowAdjust(bytes: number): void {
    this.#sendWindow += bytes;
    if (this.#sendWindow > windowMax) throw protocolError("a window beyond 2^32 - 1");
    this.resume();
  }

  receivedEof(): void {
    if (this.#eofReceived || this.#closeReceived) throw protocolError("EOF after the end of a channel");
    this.#eofReceived = true;
    this.#giveEof();
  }
  #giveEof(): void {
    if (!this.#events || !this.#eofReceived || this.#eofGiven) return;
    this.#eofGiven = true;
    if (!this.#left) this.#events.eof();
  }

  receivedClose(): void {
    if (this.#closeReceived) throw protocolError("CLOSE twice");
    this.#closeReceived = true;
    // RFC 4254 §5.3: answered at once; what is still queued, nobody would read.
    this.#out.clear();
    this.#closeWanted = true;
    this.#sendClose();
    this.#host.ended(this);
    this.end(undefined);
  }

  receivedRequest({ type, wantReply, payload }: ChannelRequestMessage): void {
    if (this.#closeReceived) throw protocolError("a request after CLOSE");
    if (this.#left) return;
    const reply = wantReply ? this.#replies.expect((ok) => this.#reply(ok)) : () => undefined;
    // OpenSSH's servers ask on a session channel whether we are alive; any answer will do.
    if (type === "keepalive@openssh.com") return reply(false);
    const request: ChannelRequest = { type, wantReply, payload: Uint8Array.from(payload), reply };
    if (this.#events) return this.#events.request(request);
    if (this.#earlyRequests.length >= this.#host.limits.requestsMax)
      throw protocolError("too many requests on a channel that is not served yet");
    this.#earlyRequests.push(request);
  }
  #reply(ok: boolean): void {
    if (this.#closeSent || this.#ended) return;
    const number = ok ? messageNumber.channelSuccess : messageNumber.channelFailure;
    this.#host.transport.send(encodeRecipient(number, this.#peer.id));
  }

  receivedReply(ok: boolean): void {
    const waiting = this.#waiting.shift();
    if (!waiting) throw protocolError("an answer to no request");
    waiting.resolve(ok);
  }

  // The connection's side.

  /** The window or the transport opened: sends what waits as far as they go, and says so when all has left. */
  resume(): void {
    if (this.#ended) return;
    while (this.#out.length > 0 && this.#sendWindow > 0) {
      if (this.#host.transport.congested) return this.#host.waitForTransport(this);
      this.#out.take(Math.min(this.#sendWindow, this.#packetOutMax), (view, stream) =>
        this.#sendPacket(view, stream),
      );
    }
    this.#finishSending();
    if (!this.writable) {
      if (this.#out.length === 0 && (this.#drainWanted || this.#drained.length > 0) && !this.#closeWanted)
        this.#host.waitForTransport(this);
      return;
    }
    this.#giveDrained();
    if (this.#drainWanted) {
      this.#drainWanted = false;
      this.#events?.drain?.();
    }
  }

  /** Once: both closed, or the connection is gone. */
  end(error: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = { error };
    this.#out.clear();
    this.#giveDrained();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { reject } of waiting) reject(error ?? channelClosed());
    this.#events?.closed(error);
  }

  #giveDrained(): void {
    const drained = this.#drained;
    this.#drained = [];
    for (const resolve of drained) resolve();
  }

  #sendNow(view: Uint8Array, stream: number): number {
    let sent = 0;
    while (sent < view.length && this.#sendWindow > 0 && !this.#host.transport.congested) {
      const length = Math.min(view.length - sent, this.#sendWindow, this.#packetOutMax);
      this.#sendPacket(length === view.length ? view : view.subarray(sent, sent + length), stream);
      sent += length;
    }
    return sent;
  }
  #sendPacket(view: Uint8Array, stream: number): void {
    this.#sendWindow -= view.length;
    this.bytesOut += view.length;
    this.#host.transport.sendParts(encodeDataHead(this.#head, this.#peer.id, stream, view.length), view);
  }

  #finishSending(): void {
    if (this.#out.length > 0) return;
    if (this.#eofWanted && !this.#eofSent && !this.#closeSent) {
      this.#eofSent = true;
      this.#host.transport.send(encodeRecipient(messageNumber.channelEof, this.#peer.id));
    }
    if (this.#closeWanted) this.#sendClose();
  }
  #sendClose(): void {
    if (this.#closeSent) return;
    this.#closeSent = true;
    this.#host.transport.send(encodeRecipient(messageNumber.channelClose, this.#peer.id));
  }
}

function channelClosed(): GatehouseError {
  return new GatehouseError({ code: "cancelled", op: "ssh.channel", message: "the channel closed first" });
}

import type { Socket } from "node:net";
import type { Clock } from "@gatehouse/kernel";
import type { Certificate, PublicKey, SignatureFlags, Signer } from "../keys/door.ts";
import type { HostKey, Transport, TransportOptions } from "../transport/door.ts";

/**
 * The door of the SSH connection layer: user authentication (RFC 4252) and channels (RFC 4254), the same for both
 * ends of the gate. Bytes are pushed through callbacks, with no promise per packet; flow control is the consumer's
 * word `consumed(n)`, so a slow recorder or far side holds back the socket of whoever sends.
 */

/** `SSH_OPEN_*` reason codes, RFC 4254 §5.1. */
export const openReason = {
  prohibited: 1,
  connectFailed: 2,
  unknownType: 3,
  resourceShortage: 4,
} as const;

/** CHANNEL_DATA is stream 0; CHANNEL_EXTENDED_DATA carries its type, 1 for stderr (RFC 4254 §5.2). */
export type StreamType = number;
export const streamData = 0;
export const streamStderr = 1;

/**
 * Callbacks of one channel; none may throw (a throw aborts the connection). Whatever came before `attach` is kept and
 * delivered then, in order, so nothing is lost between an open and its answer.
 */
export type ChannelEvents = {
  /** `view` is valid only until the callback returns. Its bytes count against the window until `consumed`. */
  data(view: Uint8Array, stream: StreamType): void;
  /** The peer sends no more data. Once. Requests (exit-status) may still come. */
  eof(): void;
  /** Requests with `wantReply` must be answered once, now or later; replies leave in the order of the requests. */
  request(request: ChannelRequest): void;
  /** Once, last: both sides closed, or the connection ended (`error` says why, when it was not in order). */
  closed(error: Error | undefined): void;
  /** What was queued by `write` has left and the channel is writable again. */
  drain?(): void;
};

export type ChannelRequest = {
  readonly type: string;
  readonly wantReply: boolean;
  /** The request-specific data after want-reply. A copy: it may be kept. */
  readonly payload: Uint8Array;
  /** Without effect when no reply is wanted, or the second time. */
  reply(ok: boolean): void;
};

export type Channel = {
  readonly id: number;
  readonly type: string;
  /** The data of the open confirmation, for the channel types that have any. */
  readonly confirmation: Uint8Array;
  /** Once per channel. */
  attach(events: ChannelEvents): void;
  /** The consumer passed on (or dropped) `bytes` of what `data` gave it: the peer may send as much again. */
  consumed(bytes: number): void;
  /**
   * Sends what the peer's window and the transport allow and keeps a copy of the rest, up to `queueBytesMax`; beyond
   * that it throws `too_large`, so look at `writable` first. Silently dropped once the channel is closed.
   * Returns `writable`.
   */
  write(view: Uint8Array, stream?: StreamType): boolean;
  /** Nothing is queued and the transport is not congested. */
  readonly writable: boolean;
  readonly queuedBytes: number;
  /** Resolves when `writable`; also when the channel closes. */
  drained(): Promise<void>;
  /** Bytes of data received and sent on this channel, both streams together. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** After what is queued. No `write` may follow. */
  eof(): void;
  /** After what is queued (a peer that never opens its window is dealt with by `abort`). Idempotent. */
  close(): void;
  /** Drops what is queued and closes now. */
  abort(): void;
  /** A request with want-reply; resolves to the peer's answer, rejects when the channel closes first. */
  request(type: string, payload: Uint8Array): Promise<boolean>;
  /** A request without want-reply (window-change, signal, exit-status, ...). */
  notify(type: string, payload: Uint8Array): void;
};

/** The peer asks for a channel. Answer once, now or later. */
export type ChannelOpening = {
  readonly type: string;
  /** The type-specific data, a copy. `decodeDirectTcpip` and the like read it. */
  readonly payload: Uint8Array;
  accept(confirmation?: Uint8Array): Channel;
  refuse(reason: number, description: string): void;
};

export type GlobalRequest = {
  readonly type: string;
  readonly wantReply: boolean;
  readonly payload: Uint8Array;
  /** `payload` is the response-specific data of a success (the port of a tcpip-forward to port 0). */
  reply(ok: boolean, payload?: Uint8Array): void;
};

/** Keepalives, no-more-sessions and hostkeys announcements are answered inside and do not show here. */
export type ConnectionEvents = {
  channel(opening: ChannelOpening): void;
  /** `tcpip-forward`, `cancel-tcpip-forward` and what a later version brings. */
  globalRequest(request: GlobalRequest): void;
  /** Once, after every channel's own `closed`. */
  closed(error: Error | undefined): void;
};

export type SshConnection = {
  readonly transport: Transport;
  /** Once. What came before is kept, up to a bound, and the socket waits. */
  attach(events: ConnectionEvents): void;
  /** Rejects with the peer's reason: see `openFailure`. */
  openChannel(type: string, payload: Uint8Array): Promise<Channel>;
  globalRequest(type: string, payload: Uint8Array): Promise<{ ok: boolean; payload: Uint8Array }>;
  readonly channelCount: number;
  readonly closed: boolean;
  /** SSH_MSG_DISCONNECT by application, with a message for the person (RFC 4253 §11.1). */
  disconnect(message: string): void;
  /** Ends at once because of `error`; a protocol error is said to the peer, its own text only. */
  abort(error: Error): void;
};

export type ConnectionLimits = {
  /** Our receive window per channel. Default 2 MiB. */
  windowBytes?: number;
  /** Largest data packet we take. Default 32 KiB. */
  packetBytesMax?: number;
  /** Default 4 MiB. */
  queueBytesMax?: number;
  /** Channels open at a time. Default 1,000. */
  channelsMax?: number;
  /** Unanswered requests with want-reply, per channel and for global ones. Default 128. */
  requestsMax?: number;
  keepaliveIntervalMs?: number;
  /** Unanswered keepalives after which the connection is given up. Default 3. */
  keepaliveCountMax?: number;
};

/** A `publickey` request. Queried first without a signature (RFC 4252 §7), then with one that was verified here. */
export type PublicKeyAttempt = {
  readonly user: string;
  readonly method: "publickey";
  readonly algorithm: string;
  /** The key; of a certificate, the key it certifies. */
  readonly key: PublicKey;
  /** Parsed, and its key's signature verified. Whether its CA, principals and dates are good is the caller's to check. */
  readonly certificate: Certificate | undefined;
  /** False: the client asks whether it is worth signing. */
  readonly signed: boolean;
  /** What a security key attested; undefined for other keys and for queries. */
  readonly flags: SignatureFlags | undefined;
};

/** `refuse` gives no reason to the client, on purpose. `next`: good, but these methods must still succeed. */
export type AuthDecision = "accept" | "refuse" | { next: readonly AuthMethod[] };
export type AuthMethod = "publickey" | "keyboard-interactive";

export type InteractivePrompt = { text: string; echo: boolean };
export type InteractiveAttempt = {
  readonly user: string;
  readonly method: "keyboard-interactive";
  /** One round of prompts (RFC 4256 §3.2); as many rounds as needed. Rejects when the client gives up. */
  ask(title: string, instruction: string, prompts: readonly InteractivePrompt[]): Promise<readonly string[]>;
};

export type ServerAuthOptions = {
  publicKey(attempt: PublicKeyAttempt): Promise<AuthDecision>;
  /** Absent: the method is not offered until a decision names it in `next`. */
  keyboardInteractive?(attempt: InteractiveAttempt): Promise<AuthDecision>;
  /** Methods that may open; `keyboard-interactive` may be left for `next`. Default `["publickey"]`. */
  firstMethods?: readonly AuthMethod[];
  /** Sent before the first answer (RFC 4252 §5.4). */
  banner?: string;
  /** Failed attempts before the disconnect. Default 6. */
  failuresMax?: number;
  /** Unsigned key queries. Default 20. */
  queriesMax?: number;
  /** Whole of the authentication. Default 120,000. */
  graceMs?: number;
};

/** Options that go to the transport unchanged. */
export type TransportTuning = Pick<
  TransportOptions,
  "identification" | "handshakeTimeoutMs" | "rekeyBytes" | "rekeyIntervalMs" | "ciphers"
>;

export type AcceptOptions = TransportTuning & {
  socket: Socket;
  hostKeys: readonly HostKey[];
  auth: ServerAuthOptions;
  limits?: ConnectionLimits;
  clock: Clock;
};
export type Accepted = {
  readonly user: string;
  /** The attempt that completed the authentication with a key, and the last of all. */
  readonly publicKey: PublicKeyAttempt | undefined;
  readonly methods: readonly AuthMethod[];
  readonly connection: SshConnection;
};
/**
 * Handshake and authentication of a client that connected. Rejects (and the socket is closed) with
 * `unauthenticated` (op `ssh.auth`: limits, refusals), `timeout` or `protocol`.
 */
export type AcceptConnection = (options: AcceptOptions) => Promise<Accepted>;

export type ClientCredential =
  /** A key, or a certificate with its key. */
  | { method: "publickey"; signer: Signer }
  /** Tried as `password`, or as the answer to a keyboard-interactive round of a single prompt that does not echo. */
  | { method: "password"; password: string };

export type DialOptions = TransportTuning & {
  /** Connected, or connecting. */
  socket: Socket;
  user: string;
  /** Tried in order. */
  credentials: readonly ClientCredential[];
  /** Throws to refuse: `checkHostKey` of ../keys. */
  verifyHostKey(blob: Uint8Array): void;
  hostKeyAlgorithms: readonly string[];
  /** Milliseconds for the authentication. Default 30,000. */
  authTimeoutMs?: number;
  limits?: ConnectionLimits;
  clock: Clock;
  /** The target's banner, for the person. */
  banner?(text: string): void;
};
/**
 * Rejects with `denied` (op `ssh.dial.auth`; `details.methods` names what the server would take), with whatever
 * `verifyHostKey` threw, `timeout`, `unavailable` or `protocol`.
 */
export type DialConnection = (options: DialOptions) => Promise<SshConnection>;

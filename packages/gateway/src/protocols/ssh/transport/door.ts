import type { Socket } from "node:net";
import type { Clock, Random } from "@gatehouse/kernel";

/**
 * The door of the SSH transport layer (RFC 4253): an encrypted, ordered stream of packets over one socket,
 * the same for both ends of the gate.
 */
export type Transport = {
  /** The first exchange hash (RFC 4253 §7.2): the session identifier that signatures bind to. */
  readonly sessionId: Uint8Array;
  /** The far side's identification line without CR LF. Printable ASCII. */
  readonly peerIdentification: string;
  readonly negotiated: Negotiated;
  /** `server-sig-algs` of the far side's EXT_INFO (RFC 8308), once it came. */
  readonly peerSignatureAlgorithms: readonly string[] | undefined;
  /**
   * Queues one payload (message number first). Packets of one turn of the event loop leave in one socket write.
   * The payload is encrypted before `send` returns, except during a key exchange, when it is copied and waits.
   */
  send(payload: Uint8Array): void;
  /**
   * The bulk path: one CHANNEL_DATA-like packet made of a small head and a body, without joining them first.
   */
  sendParts(head: Uint8Array, body: Uint8Array): void;
  /** Bytes encrypted and queued that the kernel has not yet taken. Above the high mark, stop producing until `drained()`. */
  readonly backlogBytes: number;
  readonly congested: boolean;
  drained(): Promise<void>;
  /** Stops and restarts reading the socket. Nothing is delivered in between, and no key exchange goes on. */
  pause(): void;
  resume(): void;
  /** Sends SSH_MSG_DISCONNECT (RFC 4253 §11.1) and closes when it left. */
  disconnect(reason: number, message: string): void;
  /** Cuts at once. */
  destroy(): void;
};

/** Names of algorithms. A MAC is `implicit` where the cipher authenticates. */
export type Negotiated = {
  kex: string;
  hostKey: string;
  cipherIn: string;
  cipherOut: string;
  macIn: string;
  macOut: string;
};

/**
 * Callbacks; none may throw. `payload` is a view that is only valid until the callback returns. None is called before
 * the promise of `openTransport` was resolved and whoever awaits it ran; none at all when it was rejected.
 */
export type TransportEvents = {
  /**
   * Every packet of the layers above (numbers 5, 6 and 50 to 127), after the first key exchange. Unknown numbers
   * outside are answered with SSH_MSG_UNIMPLEMENTED by the transport.
   */
  packet(payload: Uint8Array): void;
  /** Once. `error` is absent when the far side or we closed in order. */
  closed(error: Error | undefined): void;
};

/** Signs the exchange hash with a host key. `publicBlob` is the key or certificate blob as it goes over the wire. */
export type HostKey = {
  /** e.g. `ssh-ed25519`, `rsa-sha2-512`, `ssh-ed25519-cert-v01@openssh.com`: what KEXINIT offers for it. */
  readonly algorithms: readonly string[];
  readonly publicBlob: Uint8Array;
  /** Returns the SSH signature blob (RFC 4253 §6.6) for that algorithm. */
  sign(algorithm: string, data: Uint8Array): Uint8Array;
};

export type ServerTransportOptions = {
  role: "server";
  hostKeys: readonly HostKey[];
};
export type ClientTransportOptions = {
  role: "client";
  /** Host key algorithms to ask for, best first (a pinned key's own type first). */
  hostKeyAlgorithms: readonly string[];
  /** Throws to refuse. Called after the signature over the exchange hash was verified, before NEWKEYS is sent; again at every rekey. */
  verifyHostKey(blob: Uint8Array): void | Promise<void>;
};
export type TransportOptions = (ServerTransportOptions | ClientTransportOptions) & {
  socket: Socket;
  events: TransportEvents;
  /** Default `SSH-2.0-Gatehouse`. */
  identification?: string;
  /** Milliseconds for identification and first key exchange. Default 20,000. */
  handshakeTimeoutMs?: number;
  /** Start a rekey after so many bytes in either direction (default 1 GiB) or so long (default 1 h). */
  rekeyBytes?: number;
  rekeyIntervalMs?: number;
  /** Offered in this order instead of all that we have; unknown names are left out. */
  keyExchanges?: readonly string[];
  ciphers?: readonly string[];
  macs?: readonly string[];
  clock?: Clock;
  random?: Random;
};
/**
 * Resolves after the first NEWKEYS in both directions. Takes the socket over: it is closed with the transport, and when
 * opening fails.
 */
export type OpenTransport = (options: TransportOptions) => Promise<Transport>;

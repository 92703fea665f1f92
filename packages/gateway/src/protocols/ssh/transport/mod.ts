/**
 * ssh/transport: the SSH transport layer (RFC 4253) for both ends of the gate, on `node:crypto`.
 *
 * Owns: identification, packets, key exchange and re-exchange, encryption, the proof of host keys, the one socket of a
 * connection and what is queued on it, and the data types of RFC 4251 §5 (`wire.ts`).
 * Never: decides whether a host key is trusted, authenticates a person, knows a channel, or retries.
 */
export type {
  ClientTransportOptions,
  HostKey,
  Negotiated,
  OpenTransport,
  ServerTransportOptions,
  Transport,
  TransportEvents,
  TransportOptions,
} from "./door.ts";
export { openTransport } from "./transport.ts";
